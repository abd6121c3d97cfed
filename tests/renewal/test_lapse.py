"""Reminders and renewals over the years, by a clock that is turned (RULES A9)."""

from newsletter.mail.tables import Letter
from newsletter.renewal import actions
from newsletter.renewal.rules import add_months
from tests.renewal.cast import KARI, OLA, change_settings, deliver, history, mail, turn
from tests.renewal.test_reconfirm import path, press
from tests.signup.site import Site
from tests.support.mailbox import ReceivedMail
from tests.support.peer import SmtpPeer


async def a_day(site: Site, peer: SmtpPeer) -> list[ReceivedMail]:
    """Do what the worker does in a day, twice, for it does it more often; give what this brought."""
    before = len(peer.mails)
    for _ in range(2):
        await actions.run(site.installation)
        await deliver(site, peer, bulk=True)
    return peer.mails[before:]


async def days(site: Site, peer: SmtpPeer, number: int) -> list[tuple[int, str]]:
    """Let that many days go by; give on which of them who got a letter."""
    got = []
    for day in range(1, number + 1):
        turn(site, days=1)
        got += [(day, letter.recipients[0]) for letter in await a_day(site, peer)]
    return got


async def test_a_reader_is_reminded_every_six_months_with_the_way_out(site: Site, peer: SmtpPeer) -> None:
    way_out = await site.subscribe(KARI)
    await mail(site, peer)
    await change_settings(site, {"reminder_months": 6})
    agreed = site.installation.clock.now()
    for months in (6, 12, 18):
        until = (add_months(agreed, months) - site.installation.clock.now()).days
        turn(site, days=until - 2)
        assert await days(site, peer, 1) == []
        turn(site, days=1)
        (reminded,) = await a_day(site, peer)
        assert set(reminded.links("unsubscribe")) == {f"https://news.example.com{way_out}"}
        assert await days(site, peer, 2) == []
    assert (await history(site, KARI)).count("reminded") == 3


async def test_an_agreement_that_nobody_renews_ends_after_two_letters(site: Site, peer: SmtpPeer) -> None:
    for email in (KARI, OLA):
        await site.subscribe(email)
    await mail(site, peer)
    await change_settings(site, {"renewal_months": 12})
    turn(site, days=334)
    assert await a_day(site, peer) == []
    turn(site, days=1)
    letters = {letter.recipients[0]: letter for letter in await a_day(site, peer)}
    assert set(letters) == {KARI, OLA}
    assert "2. november 2027" in letters[OLA].text
    await press(site, path(letters[KARI]))
    assert (await history(site, KARI))[-1] == "renewed"
    assert len(await site.agreements()) == 2  # The same words: no new agreement, but an event of the old one.
    turn(site, days=22)
    assert [letter.recipients for letter in await a_day(site, peer)] == []
    turn(site, days=1)
    (last,) = await a_day(site, peer)
    assert (last.recipients, "avsluttes" in last.subject) == ((OLA,), True)
    assert await days(site, peer, 6) == []
    assert len(await site.people()) == 2
    turn(site, days=1)
    assert await a_day(site, peer) == []
    assert [person.email for person in await site.people()] == [KARI]
    # A year after she renewed, it is her turn again.
    turn(site, days=300)
    assert await a_day(site, peer) == []
    turn(site, days=30)
    assert [letter.recipients for letter in await a_day(site, peer)] == [(KARI,)]


async def test_a_choice_made_late_ends_nobody_s_agreement_at_once(site: Site, peer: SmtpPeer) -> None:
    await site.subscribe(KARI)
    await mail(site, peer)
    turn(site, days=3 * 365)
    await change_settings(site, {"renewal_months": 12})
    (first,) = await a_day(site, peer)
    assert "1. desember 2029" in first.text
    turn(site, days=22)
    assert await a_day(site, peer) == []
    turn(site, days=1)
    assert len(await a_day(site, peer)) == 1
    turn(site, days=6)
    await a_day(site, peer)
    assert len(await site.people()) == 1
    turn(site, days=1)
    await a_day(site, peer)
    assert await site.people() == []
    assert await site.all(Letter) == []


async def test_a_refused_letter_ends_nothing_and_is_tried_again(site: Site, peer: SmtpPeer) -> None:
    await site.subscribe(KARI)
    await mail(site, peer)
    await change_settings(site, {"renewal_months": 12})
    peer.refuse(KARI, "552 5.2.2 mailbox full")
    turn(site, days=400)
    assert await a_day(site, peer) == []
    for _ in range(5):
        turn(site, days=8)
        assert await a_day(site, peer) == []
    assert len(await site.people()) == 1
    peer.accept(KARI)
    turn(site, days=8)
    await a_day(site, peer)
    turn(site, days=1)
    await a_day(site, peer)
    assert len(peer.mails_to(KARI)) == 2  # The first is what she signed up with.
