"""A block has one holder at a time. What a lost holder left unknown is in doubt, and only late evidence settles it."""

import asyncio
from collections import Counter

from newsletter.delivery import ledger
from newsletter.delivery.lane import leftovers, recovery
from newsletter.delivery.ledger import Recorded
from newsletter.delivery.rules import BLOCK_SIZE
from newsletter.delivery.tables import Block, Mailing, MailingState
from newsletter.installation import Installation
from newsletter.mail.wire.smtp import Outcome, OutcomeKind, Stage
from tests.delivery.cast import (
    erase,
    in_doubt,
    mailing_to,
    people,
    send,
    standing,
    steer,
    unsubscribe,
    wait_for_leases,
)
from tests.support.peer import SmtpPeer

TAKEN = Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)
GONE = Outcome(OutcomeKind.REFUSED, Stage.RCPT, 550, "5.1.1")
UNKNOWN = Outcome(OutcomeKind.IN_DOUBT, Stage.DATA)
LATER = Outcome(OutcomeKind.DEFERRED, Stage.RCPT, 451)


async def lease(installation: Installation, mailing: Mailing, owner: str) -> Block | None:
    async with installation.database.write() as session:
        if (block := await ledger.free(session, mailing.id)) is not None:
            await recovery.settle(session, installation, block)
            await ledger.take(session, block, owner)
        return block


async def mark(installation: Installation, block: Block, size: int) -> list[ledger.Recipient]:
    """Mark a window, as a worker does before anything of it leaves."""
    async with installation.database.write() as session:
        recipients = await ledger.window(session, block, size)
        block.marked_to = recipients[-1].number + 1
        assert await ledger.hold(session, block, marked_to=block.marked_to)
    return recipients


async def test_ten_workers_at_once_never_share_a_block(installation: Installation) -> None:
    mailing = await mailing_to(installation, people(4 * BLOCK_SIZE))
    taken = await asyncio.gather(*(lease(installation, mailing, f"worker-{number}") for number in range(10)))
    numbers = Counter(block.number for block in taken if block is not None)
    assert set(numbers.values()) == {1}
    for _ in range(10):
        if (block := await lease(installation, mailing, "latecomer")) is not None:
            numbers[block.number] += 1
    assert numbers == dict.fromkeys(range(4), 1)


async def test_a_lease_that_was_renewed_is_nobody_elses(installation: Installation) -> None:
    mailing = await mailing_to(installation, people(5))
    block = await lease(installation, mailing, "slow")
    assert block is not None
    await wait_for_leases(installation)
    async with installation.database.write() as session:
        assert await ledger.hold(session, block)
    assert await lease(installation, mailing, "other") is None


async def test_a_paused_mailing_has_nothing_to_lease(installation: Installation) -> None:
    mailing = await mailing_to(installation, people(5))
    await steer(installation, mailing, "pause")
    assert await lease(installation, mailing, "worker") is None


async def test_in_doubt_is_just_the_marked_window_of_the_lost_worker(
    installation: Installation, peer: SmtpPeer
) -> None:
    """Promise P4: what lies behind the mark was never begun, and is sent; what lies before it is never sent again."""
    mailing = await mailing_to(installation, people(40))
    lost = await lease(installation, mailing, "lost")
    assert lost is not None
    window = await mark(installation, lost, 10)
    await wait_for_leases(installation)
    await send(installation, peer, mailing)
    doubtful = {recipient.email for recipient in window}
    assert await in_doubt(installation, mailing) == doubtful
    assert peer.counted() == Counter(set(people(40)) - doubtful)
    progress = await standing(installation, mailing)
    assert (progress.delivered, progress.in_doubt) == (30, 10)


async def test_late_evidence_settles_what_is_in_doubt_and_nothing_else(installation: Installation) -> None:
    mailing = await mailing_to(installation, people(20))
    lost = await lease(installation, mailing, "lost")
    assert lost is not None
    window = await mark(installation, lost, 6)
    await wait_for_leases(installation)
    heir = await lease(installation, mailing, "heir")
    assert heir is not None
    outcomes = [TAKEN, TAKEN, GONE, UNKNOWN, LATER, TAKEN]
    evidence = [Recorded(who, 1, what) for who, what in zip(window, outcomes, strict=True)]
    for _ in range(2):
        async with installation.database.write() as session:
            assert not await ledger.hold(session, lost), "the lease is the heir's"
            await ledger.append_late(session, lost, evidence)
    progress = await standing(installation, mailing)
    assert (progress.delivered, progress.refused, progress.in_doubt, progress.queued) == (3, 2, 1, 14)


async def test_an_heir_of_the_same_name_need_not_wait_for_the_lease(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(20))
    assert await lease(installation, mailing, "worker-0") is not None
    async with installation.database.write() as session:
        await ledger.release_of(session, "worker-0")
    await send(installation, peer, mailing)
    assert peer.counted() == Counter(people(20))


async def test_who_left_meanwhile_is_not_in_doubt_but_withdrawn(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(20))
    lost = await lease(installation, mailing, "lost")
    assert lost is not None
    window = await mark(installation, lost, 5)
    await erase(installation, window[0].email)
    await unsubscribe(installation, window[1].email)
    await wait_for_leases(installation)
    await send(installation, peer, mailing)
    progress = await standing(installation, mailing)
    assert (progress.in_doubt, progress.withdrawn, progress.delivered) == (3, 2, 15)


async def test_doubt_comes_to_light_in_a_mailing_that_was_cancelled_too(installation: Installation) -> None:
    mailing = await mailing_to(installation, people(20))
    lost = await lease(installation, mailing, "lost")
    assert lost is not None
    window = await mark(installation, lost, 5)
    await steer(installation, mailing, "cancel")
    await wait_for_leases(installation)
    async with installation.database.write() as session:
        await leftovers.settle_interrupted(session, installation)
    assert await in_doubt(installation, mailing) == {recipient.email for recipient in window}
    progress = await standing(installation, mailing)
    assert (progress.state, progress.in_doubt, progress.withdrawn) == (MailingState.CANCELLED, 5, 15)
