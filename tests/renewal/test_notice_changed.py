"""A changed notice is told to those who agreed to the one before: once, in words, with the way out (RULES A7)."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from newsletter.mail.tables import Letter
from newsletter.renewal import actions
from newsletter.renewal.announcing import mailings
from newsletter.subscribers.tables import Subscriber
from tests.renewal.cast import ANNOUNCED, KARI, NEW_TEXT, OLA, SIRI, history, mail, publish, standing, turn
from tests.signup.site import Site
from tests.support.peer import SmtpPeer


async def test_everybody_who_agreed_to_the_one_before_is_told_once(site: Site, peer: SmtpPeer) -> None:
    way_out = await site.subscribe(KARI)
    await site.subscribe(OLA, language="en")
    mailing = await publish(site, ANNOUNCED)
    turn(site, minutes=1)
    await site.subscribe(SIRI)
    letters = [letter for letter in await mail(site, peer) if "endret" in letter.subject]
    assert [letter.recipients for letter in letters] == [(KARI,)]
    (told,) = letters
    # In words a reader can read, without marks; and nothing that counts or advertises.
    assert NEW_TEXT.replace("**", "") in told.text
    assert "<ins>" in told.html
    assert told.pixel is None
    assert told.message["Auto-Submitted"] == "auto-generated"
    assert told.message["List-Unsubscribe"] == f"<https://news.example.com{way_out}>"
    assert told.link("unsubscribe").endswith(way_out)
    assert "https://news.example.com/my" in told.text
    page = await site.http.get(told.link("notices"))
    assert "<ins>" in page.text
    assert "Vi bruker adressen din også" in page.text
    stood = await standing(site, mailing)
    assert (stood.state, stood.audience, stood.sent, stood.failed, stood.left_out) == ("finished", 1, 1, 0, 0)
    assert (await history(site, KARI))[-1] == "notice_sent"
    assert await mail(site, peer) == []


async def test_what_is_not_material_is_told_to_nobody(site: Site, peer: SmtpPeer) -> None:
    await site.subscribe(KARI)
    await mail(site, peer)
    assert await publish(site, None) is None
    assert await mail(site, peer) == []


async def test_who_left_is_restricted_or_refused_gets_nothing_and_is_counted_apart(site: Site, peer: SmtpPeer) -> None:
    for email in (KARI, OLA, SIRI):
        await site.subscribe(email)
    await mail(site, peer)
    mailing = await publish(site, ANNOUNCED)
    peer.refuse(OLA, "550 5.7.1 not today")
    assert mailing is not None
    await actions.feed(site.installation)  # The letters wait, and then somebody changes their mind.
    async with site.installation.database.write() as session:
        restricted = update(Subscriber).where(col(Subscriber.canonical) == KARI)
        await session.execute(restricted.values(restricted_at=site.installation.clock.now()))
    await site.http.post(await site.unsubscribe_path(SIRI))
    assert await mail(site, peer) == []
    stood = await standing(site, mailing)
    assert (stood.state, stood.audience, stood.sent, stood.failed, stood.left_out) == ("finished", 3, 0, 1, 2)


async def test_a_planned_notice_is_announced_ahead_and_again_to_who_came_meanwhile(site: Site, peer: SmtpPeer) -> None:
    await site.subscribe(KARI)
    await mail(site, peer)
    valid_from = site.installation.clock.now() + timedelta(days=30)
    mailing = await publish(site, ANNOUNCED, valid_from=valid_from)
    (told,) = await mail(site, peer)
    assert (told.recipients, "gjelder fra 2. desember 2026" in told.text) == ((KARI,), True)
    form = await site.http.get("/newsletters/weekly?language=nb")
    assert "Hva er nytt" not in form.text
    turn(site, days=10)
    await site.subscribe(OLA)
    await mail(site, peer)
    assert (await standing(site, mailing)).state == "sending"
    turn(site, days=20)
    assert "Hva er nytt" in (await site.http.get("/newsletters/weekly?language=nb")).text
    assert [letter.recipients for letter in await mail(site, peer)] == [(OLA,)]
    stood = await standing(site, mailing)
    assert (stood.state, stood.sent, stood.audience) == ("finished", 2, 2)


async def test_a_mailing_is_paused_goes_on_and_is_cancelled(
    site: Site, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for email in (KARI, OLA, SIRI):
        await site.subscribe(email)
    await mail(site, peer)
    monkeypatch.setattr("newsletter.renewal.announcing.feeding.ROOM", 1)
    mailing = await publish(site, ANNOUNCED)
    assert mailing is not None
    installation = site.installation
    assert len(await mail(site, peer, rounds=1)) == 1
    for verb, brought, state in (("pause", 0, "paused"), ("resume", 1, "sending"), ("cancel", 0, "cancelled")):
        async with installation.database.write() as session:
            await mailings.steer(session, installation, mailing.id, verb)
        assert len(await mail(site, peer, rounds=1)) == brought, verb
        assert (await standing(site, mailing)).state == state
    assert await site.all(Letter) == []
    stood = await standing(site, mailing)
    assert (stood.sent, stood.audience) == (2, 3)
