"""Who was in doubt is sent to again: once more and not twice, whoever decides it, and the figures stay true (P4)."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlmodel import col, select, update

from newsletter.clock import TurnedClock
from newsletter.delivery.tables import Block, Mailing, MailingState
from newsletter.errors import Conflict
from newsletter.installation import Installation
from newsletter.measurement.counting import WHILE_SENDING, Counting
from newsletter.measurement.links import OPEN, Hit
from newsletter.measurement.rules import Verdict
from newsletter.measurement.tables import Count
from newsletter.tokens import new_nonce
from tests.delivery.cast import finish, in_doubt, mailing_to, people, results, send, standing, steer, wait_for_retries
from tests.delivery.doubts.doubtful import DOUBTFUL, doubtful_mailing, resend
from tests.support.peer import SmtpPeer


async def test_one_is_sent_to_again_and_the_mailing_finishes_a_second_time(
    installation: Installation, peer: SmtpPeer
) -> None:
    mailing = await doubtful_mailing(installation, peer)
    before = await standing(installation, mailing)
    assert (before.state, before.delivered, before.in_doubt) == (MailingState.FINISHED, 17, 3)
    assert await resend(installation, mailing, DOUBTFUL[:1]) == 1
    during = await standing(installation, mailing)
    assert (during.state, during.queued, during.in_doubt) == (MailingState.SENDING, 1, 2)
    await send(installation, peer, mailing)
    await finish(installation)
    after = await standing(installation, mailing)
    assert (after.state, after.delivered, after.in_doubt) == (MailingState.FINISHED, 18, 2)
    assert peer.counted() == Counter(people(20)) + Counter(DOUBTFUL[:1])
    assert await in_doubt(installation, mailing) == set(DOUBTFUL[1:])


async def test_all_are_sent_to_again(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await doubtful_mailing(installation, peer)
    assert await resend(installation, mailing) == 3
    await send(installation, peer, mailing)
    await finish(installation)
    progress = await standing(installation, mailing)
    assert (progress.state, progress.delivered, progress.in_doubt) == (MailingState.FINISHED, 20, 0)
    assert peer.counted() == Counter(people(20)) + Counter(DOUBTFUL)


async def test_two_editors_at_once_send_it_once_more_and_not_twice(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await doubtful_mailing(installation, peer)
    counts = await asyncio.gather(
        resend(installation, mailing), resend(installation, mailing), resend(installation, mailing, DOUBTFUL)
    )
    assert sorted(counts) == [0, 0, 3]
    await send(installation, peer, mailing)
    assert peer.counted() == Counter(people(20)) + Counter(DOUBTFUL)


async def test_who_is_in_doubt_again_is_listed_again(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await doubtful_mailing(installation, peer)
    await resend(installation, mailing)
    peer.hang_up(DOUBTFUL[0])
    await send(installation, peer, mailing)
    await finish(installation)
    assert await in_doubt(installation, mailing) == {DOUBTFUL[0]}


async def test_one_in_doubt_at_a_retry_begins_anew(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(5))
    peer.defer(DOUBTFUL[0], times=1)
    peer.defer("reader004@example.com", times=1)
    await send(installation, peer, mailing)
    peer.hang_up(DOUBTFUL[0])
    await wait_for_retries(installation)
    await send(installation, peer, mailing)
    await finish(installation)
    assert [each.outcome for each in await results(installation, mailing, DOUBTFUL[0])] == ["deferred", "in_doubt"]
    assert await resend(installation, mailing) == 1
    await send(installation, peer, mailing)
    await finish(installation)
    progress = await standing(installation, mailing)
    assert (progress.state, progress.delivered, progress.deferred) == (MailingState.FINISHED, 5, 0)
    assert peer.counted()[DOUBTFUL[0]] == 2


async def test_while_others_wait_for_their_retry_nobody_else_gets_it_twice(
    installation: Installation, peer: SmtpPeer
) -> None:
    mailing = await mailing_to(installation, people(20))
    peer.hang_up(DOUBTFUL[0])
    peer.defer("reader009@example.com", times=1)
    await send(installation, peer, mailing)
    await resend(installation, mailing)
    await send(installation, peer, mailing)
    assert (await standing(installation, mailing)).deferred == 1, "its time has not come"
    await wait_for_retries(installation)
    await send(installation, peer, mailing)
    await finish(installation)
    assert (await standing(installation, mailing)).delivered == 20
    assert peer.counted() == Counter(people(20)) + Counter(DOUBTFUL[:1])


async def test_it_waits_for_a_worker_that_is_at_the_same_block(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await doubtful_mailing(installation, peer)
    for changes in ({"leased_until": 9e9}, {"leased_until": 0.0, "marked_to": 7, "done_to": 4}):
        async with installation.database.write() as session:
            await session.execute(update(Block).values(**changes))
        with pytest.raises(Conflict, match="try again in a moment"):
            await resend(installation, mailing)
        assert await in_doubt(installation, mailing) == set(DOUBTFUL), "nothing has changed"
        assert (await standing(installation, mailing)).in_doubt == 3


async def test_a_paused_mailing_stays_paused(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(20))
    peer.hang_up(DOUBTFUL[0])
    peer.defer("reader009@example.com")
    await send(installation, peer, mailing)
    await steer(installation, mailing, "pause")
    assert await resend(installation, mailing) == 1
    await send(installation, peer, mailing)
    assert (await standing(installation, mailing)).state == MailingState.PAUSED
    await steer(installation, mailing, "resume")
    await send(installation, peer, mailing)
    assert peer.counted()[DOUBTFUL[0]] == 2


async def test_hours_are_left_out_again_for_they_would_tell_of_the_few(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    """Promise P3: whoever knows when three were sent to again must not read from the hours that they opened it."""
    mailing = await doubtful_mailing(installation, peer)
    clock.turn(clock.now() + timedelta(days=1))
    await open_it(installation, mailing)
    await resend(installation, mailing)
    await open_it(installation, mailing)
    await send(installation, peer, mailing)
    await finish(installation)
    await open_it(installation, mailing)
    async with installation.database.read() as session:
        counts = (await session.exec(select(Count).order_by(col(Count.hour)))).all()
    assert [(count.hour, count.total) for count in counts] == [(WHILE_SENDING, 2), (clock.now(), 1)]


async def open_it(installation: Installation, mailing: Mailing) -> None:
    """Let somebody open the issue."""
    counting = Counting(installation.database, installation.clock)
    counting.add(Hit(mailing.issue_id, new_nonce(), OPEN), Verdict.HUMAN)
    await counting.write()
