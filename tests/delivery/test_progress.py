"""How fast a mailing goes and when it will be done is told while it is being sent, and forgotten at its end (P3)."""

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from newsletter.delivery import actions, progress
from newsletter.delivery.progress import Pace, pace_of
from newsletter.delivery.tables import Block, Mailing, MailingState
from newsletter.installation import Installation
from tests.delivery.cast import begin, finish, found, mailing_to, people, send, standing, steer, subscribe
from tests.support.peer import SmtpPeer


async def pace(installation: Installation, mailing: Mailing) -> Pace:
    async with installation.database.read() as session:
        current = await session.get_one(Mailing, mailing.id)
        return await progress.pace(session, current, await progress.progress(session, current))


async def seconds_pass(installation: Installation, seconds: float) -> None:
    """Turn the database's clock on, by moving back what was noted by it."""
    back = {"sampled_at": col(Mailing.sampled_at) - seconds, "earlier_at": col(Mailing.earlier_at) - seconds}
    async with installation.database.write() as session:
        await session.execute(update(Mailing).values(**back))


async def deal_with(installation: Installation, count: int) -> None:
    """Let so many more be delivered, as a worker counts them."""
    async with installation.database.write() as session:
        first = (await session.exec(select(Block).order_by(col(Block.number)))).first()
        assert first
        first.delivered += count


async def test_the_rate_is_that_of_the_last_moments(installation: Installation) -> None:
    mailing = await mailing_to(installation, people(100))
    assert await pace(installation, mailing) == Pace(None, None), "nothing is known yet"
    await deal_with(installation, 60)
    await seconds_pass(installation, 12)
    fast = await pace(installation, mailing)
    assert fast.rate == pytest.approx(300, rel=0.1)
    assert fast.seconds_left == pytest.approx(8, abs=1)
    for _ in range(2):
        await finish(installation)
        await deal_with(installation, 2)
        await seconds_pass(installation, 12)
    slow = await pace(installation, mailing)
    assert slow.rate == pytest.approx(10, rel=0.1), "what was long ago does not count"
    assert slow.seconds_left == pytest.approx(36 * 6, rel=0.1)


async def test_a_mailing_that_stands_still_has_no_end_in_sight(installation: Installation) -> None:
    mailing = await mailing_to(installation, people(100))
    await seconds_pass(installation, 30)
    assert await pace(installation, mailing) == Pace(0.0, None)


async def test_it_is_told_only_while_it_is_being_sent(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(20))
    await deal_with(installation, 0)
    await seconds_pass(installation, 30)
    await steer(installation, mailing, "pause")
    assert await pace(installation, mailing) == Pace(None, None)
    await steer(installation, mailing, "resume")
    assert await pace(installation, mailing) == Pace(None, None), "what was before the pause does not count"
    await send(installation, peer, mailing)
    await finish(installation)
    assert (await standing(installation, mailing)).state == MailingState.FINISHED
    async with installation.database.read() as session:
        over = await session.get_one(Mailing, mailing.id)
    samples = (over.sampled_at, over.sampled_done, over.earlier_at, over.earlier_done, over.trouble)
    assert samples == (None,) * 5, "promise P3"


async def test_who_waits_for_a_retry_is_not_waited_for(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(20))
    peer.defer("reader003@example.com")
    await send(installation, peer, mailing)
    await seconds_pass(installation, 30)
    assert (await standing(installation, mailing)).deferred == 1
    assert await pace(installation, mailing) == Pace(None, None)


def test_too_short_a_moment_says_nothing() -> None:
    assert pace_of(5, 0.5, 100) == Pace(None, None)
    assert pace_of(-1, 60.0, 100) == Pace(None, None), "late evidence may have moved the counts"
    assert pace_of(60, 60.0, 100) == Pace(60.0, 100)


async def test_refusals_that_said_the_same_are_counted_together(installation: Installation, peer: SmtpPeer) -> None:
    newsletter = await found(installation)
    await subscribe(installation, newsletter, people(6))
    peer.refuse("reader000@example.com", "550 5.1.1 <reader000@example.com>: user unknown")
    peer.refuse("reader001@example.com", "550 5.1.1 <READER001@example.com>: user unknown")
    peer.refuse("reader002@example.com", "554 5.7.1 reader002 has blocked you, see https://example.com/reader002")
    mailing = await begin(installation, newsletter)
    await send(installation, peer, mailing)
    async with installation.database.read() as session:
        refused = [(each.stage, each.code, each.reply, each.count) for each in await actions.refusals(session, mailing)]
    assert refused == [
        ("rcpt", 550, "… user unknown", 2),
        ("rcpt", 554, "… has blocked you see …", 1),
    ]
