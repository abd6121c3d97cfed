"""The letters of a signup, as a mailbox gets them: the question, "you are subscribed already", and the copy."""

from datetime import timedelta
from functools import partial

from newsletter.bounces.alarms import watching as bounces
from newsletter.clock import TurnedClock
from newsletter.mail.outbox import Outbox
from newsletter.mail.tables import Letter, LetterKind
from newsletter.mail.wire.lines import Lines
from newsletter.mail.wire.relays import Routes, read_relay
from newsletter.subscribers.tables import DeadSignal
from newsletter.worker.letters import writers
from tests.signup.site import OF_A_REQUEST, Site
from tests.support.mailbox import ReceivedMail
from tests.support.peer import SmtpPeer

TYPED = {"given_name": "Eve Buy-Now", "family_name": "Evilsen", "title": "Bossy", "employer": "Evil Ltd"}


async def mailed(site: Site, peer: SmtpPeer, *, bulk: bool = False) -> list[ReceivedMail]:
    """Mail what waits, of the single letters or of the `bulk`; give the letters that this brought."""
    installation, before = site.installation, len(peer.mails)
    connections = Lines(Routes((read_relay(peer.url),), {}), 2, "news.example.com")
    watcher = partial(bounces.watch_letter, installation)
    outbox = Outbox(installation.database, installation.clock, connections, writers(installation), watcher)
    await outbox.mail_waiting(bulk=bulk)
    await connections.close()
    return peer.mails[before:]


async def test_the_question_holds_a_link_and_nothing_that_was_typed(site: Site, peer: SmtpPeer) -> None:
    """RULES A8."""
    await site.ask("kari@example.com", **TYPED)
    (question,) = await mailed(site, peer)
    assert question.recipients == ("kari@example.com",)
    assert question.link("confirm") == "https://news.example.com" + await site.confirmation_path("kari@example.com")
    assert [url for url in question.html_links if url.startswith("http")] == [question.link("confirm")]
    for typed in TYPED.values():
        assert typed not in question.text + question.html + str(question.message)
    assert question.message["Auto-Submitted"] == "auto-generated"
    assert question.pixel is None
    assert await site.happened() == ["requested", "confirmation_sent"]


async def test_the_whole_way_is_on_record_in_its_order(site: Site, peer: SmtpPeer, clock: TurnedClock) -> None:
    """RULES A10."""
    await site.ask("kari@example.com")
    clock.turn(clock.now() + timedelta(minutes=1))
    (question,) = await mailed(site, peer)
    clock.turn(clock.now() + timedelta(minutes=1))
    assert (await site.http.post(question.link("confirm"))).status_code == 200
    assert await site.happened() == ["requested", "confirmation_sent", "given"]


async def test_whoever_confirms_before_the_sending_is_recorded_has_it_on_record_too(site: Site) -> None:
    """RULES A10."""
    await site.ask("kari@example.com")
    (letter,) = await site.all(Letter)
    database = site.installation.database
    async with database.write() as session:
        written = await writers(site.installation)[LetterKind.CONFIRMATION](session, letter)
    assert written is not None
    assert written.sent is not None
    assert (await site.http.post(await site.confirmation_path("kari@example.com"))).status_code == 200
    async with database.write() as session:
        await written.sent(session)
    assert await site.happened() == ["requested", "confirmation_sent", "given"]


async def test_whoever_is_subscribed_is_told_so_and_the_request_vanishes(site: Site, peer: SmtpPeer) -> None:
    await site.subscribe("alice@example.com", given_name="Alice")
    await mailed(site, peer)
    before = await site.rows()
    await site.ask("Alice@Example.com", **TYPED)
    (told,) = await mailed(site, peer)
    assert told.recipients == ("Alice@example.com",)
    assert "allerede" in told.subject
    assert told.links("confirm") == []
    assert not [typed for typed in TYPED.values() if typed in told.text + told.html]
    after = await site.rows()
    assert after == before
    assert after["subscriber"]


async def test_a_stranger_s_words_never_reach_a_person_who_does_not_confirm_them(site: Site, peer: SmtpPeer) -> None:
    await site.subscribe("alice@example.com", given_name="Alice")
    people = {name: rows for name, rows in (await site.rows()).items() if name not in OF_A_REQUEST}
    await site.open("monthly")
    await site.ask("alice@example.com", "monthly", **TYPED)
    await mailed(site, peer)
    assert [person.given_name for person in await site.people()] == ["Alice"]
    assert (await site.rows())["subscriber"] == people["subscriber"]


async def test_the_copy_holds_the_agreement_and_the_way_out(site: Site, peer: SmtpPeer) -> None:
    """RULES B4: objecting is mentioned in the first mail."""
    await site.ask("kari@example.com")
    (question,) = await mailed(site, peer)
    await site.http.post(question.link("confirm"))
    (copy,) = await mailed(site, peer)
    (agreement,) = await site.agreements()
    notice = await site.notice(agreement.notice_hash)
    assert notice.label in copy.text
    assert " ".join(notice.text.replace("**", "").split()) in " ".join(copy.text.split())
    assert copy.link("unsubscribe") == "https://news.example.com" + await site.unsubscribe_path("kari@example.com")
    assert copy.link("unsubscribe") in copy.html_links
    assert not (await site.rows())["letter"]


async def test_a_request_that_was_purged_brings_no_letter(site: Site, peer: SmtpPeer) -> None:
    alice = await site.subscribe("alice@example.com")
    await site.http.post(alice)
    assert await mailed(site, peer) == []


async def test_a_question_whose_link_is_over_is_not_mailed(site: Site, peer: SmtpPeer, clock: TurnedClock) -> None:
    """As after days without a relay, or in an older database that was put back."""
    await site.ask("kari@example.com")
    clock.turn(clock.now() + timedelta(hours=72))
    assert await mailed(site, peer) == []
    assert await site.all(Letter) == []


async def test_a_request_for_a_dead_address_is_forgotten_at_once(site: Site, peer: SmtpPeer) -> None:
    await site.ask("kari@example.com")
    peer.refuse("kari@example.com", "550 5.1.1 mailbox full")
    await mailed(site, peer)
    assert (await site.rows())["signup_request"], "its words veto the code"
    await site.ask("bob@example.com")
    peer.refuse("bob@example.com")
    await mailed(site, peer)
    assert "bob@example.com" not in repr(await site.rows())


async def test_a_welcome_to_a_dead_address_stops_the_sending(site: Site, peer: SmtpPeer) -> None:
    """RULES F3."""
    await site.subscribe("kari@example.com")
    peer.refuse("kari@example.com")
    await mailed(site, peer)
    (signal,) = await site.all(DeadSignal)
    assert (signal.enhanced, signal.mailing_id) == ("5.1.1", None)


async def test_so_does_the_answer_that_one_is_subscribed_already(site: Site, peer: SmtpPeer) -> None:
    """But not where a stranger spelt the address in a way of their own, at which nobody may be (RULES H3)."""
    await site.subscribe("kari@example.com")
    await mailed(site, peer)
    for spelling, signals in (("KARI@example.com", 0), ("kari@example.com", 1)):
        await site.ask(spelling)
        peer.refuse(spelling)
        await mailed(site, peer)
        assert len(await site.all(DeadSignal)) == signals
        assert len(await site.people()) == 1
