"""A mailing reaches everybody once, over connections that are used again; replies are what the ledger says (P4, F9)."""

from collections import Counter

from sqlalchemy import update
from sqlmodel import col

from newsletter.delivery.tables import MailingState
from newsletter.installation import Installation
from newsletter.mail.wire.smtp import OutcomeKind, Stage
from newsletter.subscribers.tables import Subscriber
from tests.delivery.cast import (
    begin,
    finish,
    found,
    in_doubt,
    mailing_to,
    people,
    results,
    send,
    standing,
    subscribe,
    wait_for_retries,
)
from tests.support.peer import SmtpPeer


async def test_each_of_200_gets_it_once_over_ten_connections(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(200))
    await send(installation, peer, mailing)
    assert peer.counted() == Counter(people(200))
    assert peer.connections <= 10
    await finish(installation)
    progress = await standing(installation, mailing)
    assert (progress.state, progress.delivered) == (MailingState.FINISHED, 200)


async def test_a_finished_mailing_has_nothing_left_to_send(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(30))
    await send(installation, peer, mailing)
    await send(installation, peer, mailing)
    assert peer.counted() == Counter(people(30))


async def test_who_subscribes_after_the_start_gets_the_next_issue(installation: Installation, peer: SmtpPeer) -> None:
    newsletter = await found(installation)
    await subscribe(installation, newsletter, people(5))
    mailing = await begin(installation, newsletter)
    await subscribe(installation, newsletter, ["late@example.com"])
    await send(installation, peer, mailing)
    assert "late@example.com" not in peer.counted()
    await send(installation, peer, await begin(installation, newsletter))
    assert peer.counted()["late@example.com"] == 1


async def test_a_deferred_one_gets_it_on_the_second_pass(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(12))
    peer.defer("reader004@example.com", times=1)
    await send(installation, peer, mailing)
    progress = await standing(installation, mailing)
    assert (progress.delivered, progress.deferred) == (11, 1)
    await send(installation, peer, mailing)
    assert "reader004@example.com" not in peer.counted(), "the half hour is not over"
    await wait_for_retries(installation)
    await send(installation, peer, mailing)
    await finish(installation)
    assert peer.counted() == Counter(people(12))
    progress = await standing(installation, mailing)
    assert (progress.state, progress.delivered, progress.deferred) == (MailingState.FINISHED, 12, 0)


async def test_a_refusal_is_recorded_with_its_codes(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(6))
    peer.refuse("reader001@example.com", "550 5.7.1 not welcome here")
    peer.refuse("reader002@example.com", "554 5.6.0 no such content", stage="END")
    await send(installation, peer, mailing)
    (welcome,) = await results(installation, mailing, "reader001@example.com")
    assert (welcome.outcome, welcome.stage, welcome.code, welcome.enhanced) == ("refused", "rcpt", 550, "5.7.1")
    (content,) = await results(installation, mailing, "reader002@example.com")
    assert (content.outcome, content.stage, content.code) == ("refused", "data", 554)
    progress = await standing(installation, mailing)
    assert (progress.delivered, progress.refused) == (4, 2)


async def test_a_full_mailbox_is_tried_again(installation: Installation, peer: SmtpPeer) -> None:
    """RULES F9: 552 at RCPT is treated as 452."""
    mailing = await mailing_to(installation, people(3))
    peer.refuse("reader001@example.com", "552 5.2.2 mailbox full")
    await send(installation, peer, mailing)
    (full,) = await results(installation, mailing, "reader001@example.com")
    assert (full.outcome, full.code) == (OutcomeKind.DEFERRED, 552)
    assert (await standing(installation, mailing)).deferred == 1


async def test_a_connection_that_ends_after_the_last_dot_leaves_doubt(
    installation: Installation, peer: SmtpPeer
) -> None:
    """RULES F9: it may have been taken, and is never sent again by itself."""
    mailing = await mailing_to(installation, people(8))
    peer.hang_up("reader003@example.com", stage="END")
    await send(installation, peer, mailing)
    await wait_for_retries(installation)
    await send(installation, peer, mailing)
    assert await in_doubt(installation, mailing) == {"reader003@example.com"}
    assert peer.counted() == Counter(people(8))


async def test_one_at_whom_the_relay_always_hangs_up_does_not_hold_up_the_others(
    installation: Installation, peer: SmtpPeer
) -> None:
    mailing = await mailing_to(installation, people(130))
    peer.hang_up("reader003@example.com", stage="RCPT", times=None)
    await send(installation, peer, mailing, connections=1)
    progress = await standing(installation, mailing)
    assert (progress.delivered, progress.deferred) == (129, 1)
    (cut,) = await results(installation, mailing, "reader003@example.com")
    assert (cut.outcome, cut.stage) == (OutcomeKind.DEFERRED, Stage.RCPT)


async def test_a_mail_that_cannot_be_written_stops_nobody_else(installation: Installation, peer: SmtpPeer) -> None:
    newsletter = await found(installation)
    await subscribe(installation, newsletter, people(5))
    async with installation.database.write() as session:
        # As no form lets in, but an old row may hold.
        broken = update(Subscriber).where(col(Subscriber.canonical) == "reader002@example.com")
        await session.execute(broken.values(email="reader002@example.com\r\nBcc: mallory@example.com"))
    mailing = await begin(installation, newsletter)
    await send(installation, peer, mailing)
    (unwritten,) = await results(installation, mailing, "reader002@example.com")
    assert (unwritten.outcome, unwritten.stage) == ("refused", "write")
    assert len(peer.mails) == 4
