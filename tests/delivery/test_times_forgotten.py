"""Of a mailing that is over the ledger keeps the day: a finer time could be held against the hours of opens (P3)."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import inspect, select

from newsletter.clock import TurnedClock, day_of
from newsletter.delivery.lane import leftovers
from newsletter.delivery.tables import Block, Mailing, Result
from newsletter.installation import Installation
from newsletter.measurement.tables import MeasurementKey
from tests.delivery.cast import (
    abandoned,
    finish,
    in_doubt,
    lose_journals,
    mailing_to,
    people,
    send,
    standing,
    steer,
    wait_for_leases,
    wait_for_retries,
    worker,
)
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually_async


def fine(value: Any) -> bool:
    """Say whether a value tells a time more precisely than by the day."""
    if isinstance(value, datetime):
        return value != day_of(value)
    return isinstance(value, float) and value != 0


async def fine_times(installation: Installation) -> set[str]:
    """Give the columns of the ledger in which there is a time finer than the day."""
    found: set[str] = set()
    async with installation.database.read() as session:
        for table in (Mailing, Block, Result, MeasurementKey):
            names = [column.key for column in inspect(table).columns]
            for row in (await session.execute(select(table))).scalars():
                found |= {name for name in names if fine(getattr(row, name))}
    return found


async def settle(installation: Installation) -> None:
    """Do what the worker does every ten minutes."""
    async with installation.database.write() as session:
        await leftovers.settle_interrupted(session, installation)


async def test_a_finished_mailing_keeps_its_days_alone(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    mailing = await mailing_to(installation, people(12))
    peer.defer("reader004@example.com", times=1)
    await send(installation, peer, mailing)
    await finish(installation)
    assert {"retry_at", "due_at", "pass_at", "started_at"} <= await fine_times(installation), "still needed"
    await wait_for_retries(installation)
    clock.turn(clock.now() + timedelta(minutes=40))
    await send(installation, peer, mailing)
    await finish(installation)
    assert (await standing(installation, mailing)).delivered == 12
    assert not await fine_times(installation)


async def test_a_cancelled_mailing_keeps_its_days_alone(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(12))
    peer.defer("reader004@example.com", times=1)
    await send(installation, peer, mailing)
    await steer(installation, mailing, "cancel")
    assert not await fine_times(installation)


async def test_what_is_on_its_way_at_the_cancel_is_recorded_and_its_times_forgotten(
    installation: Installation, peer: SmtpPeer
) -> None:
    mailing = await mailing_to(installation, people(12))
    peer.defer("reader000@example.com")
    peer.defer("reader001@example.com")
    peer.halt()
    async with worker(installation, peer, 12) as sender:
        sending = asyncio.create_task(sender.work_on(mailing.id))
        await eventually_async(lambda: _held(peer, 10))
        await steer(installation, mailing, "cancel")
        await settle(installation)
        peer.go_on()
        await sending
    progress = await standing(installation, mailing)
    assert (progress.delivered, progress.in_doubt, progress.withdrawn) == (10, 0, 2)
    assert "retry_at" in await fine_times(installation)
    await settle(installation)
    assert not await fine_times(installation)


async def test_a_retry_lost_at_the_cancel_is_in_doubt_before_its_times_are_forgotten(
    installation: Installation, peer: SmtpPeer
) -> None:
    """Promise P4: the times say who was in the lost window."""
    mailing = await mailing_to(installation, people(12))
    peer.defer("reader004@example.com", times=1)
    await send(installation, peer, mailing)
    await wait_for_retries(installation)
    peer.slow(30)
    begun = len(_data(peer))
    async with worker(installation, peer) as lost:
        sending = asyncio.create_task(lost.work_on(mailing.id))
        await eventually_async(lambda: _busy(peer, begun))
        await steer(installation, mailing, "cancel")
        await abandoned(sending)
    lose_journals(installation)
    await wait_for_leases(installation)
    await settle(installation)
    assert await in_doubt(installation, mailing) == {"reader004@example.com"}
    assert not await fine_times(installation)


def _data(peer: SmtpPeer) -> list[str]:
    return [command for command in peer.commands if command.startswith("DATA")]


async def _held(peer: SmtpPeer, least: int) -> bool:
    return peer.held >= least


async def _busy(peer: SmtpPeer, begun: int = 0) -> bool:
    return len(_data(peer)) > begun
