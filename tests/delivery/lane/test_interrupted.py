"""Whatever is cut off, whenever: nobody gets it twice, nobody is left out, the unknown ones are listed (promise P4)."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from newsletter.database import Session
from newsletter.delivery import ledger
from newsletter.delivery.lane import sending
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.installation import Installation
from tests.delivery.cast import (
    abandoned,
    finish,
    in_doubt,
    lose_journals,
    mailing_to,
    people,
    send,
    standing,
    wait_for_leases,
    wait_for_retries,
    worker,
)
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually_async


class _Crash(Exception):
    """The worker ends here."""


class _CrashingSender(sending.Sender):
    """Sends `windows` windows, and ends in the next one: before any of its mail leaves, or after all of it has left."""

    windows = 0
    after = False

    async def _send_window(self, *window: Any) -> list[sending.Tried]:
        if self.windows == 0 and not self.after:
            raise _Crash
        tried = await super()._send_window(*window)
        if self.windows == 0:
            raise _Crash
        self.windows -= 1
        return tried


@pytest.mark.parametrize("windows", [0, 1, 4, 9])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("lost_machine", [False, True])
async def test_what_a_worker_that_crashes_between_two_commits_has_marked_is_told_by_its_journal(
    installation: Installation,
    peer: SmtpPeer,
    monkeypatch: pytest.MonkeyPatch,
    windows: int,
    *,
    after: bool,
    lost_machine: bool,
) -> None:
    """And where the journal is lost with its machine, the whole window is in doubt."""
    monkeypatch.setattr(_CrashingSender, "windows", windows)
    monkeypatch.setattr(_CrashingSender, "after", after)
    mailing = await mailing_to(installation, people(60))
    async with worker(installation, peer, 6, kind=_CrashingSender) as lost:
        with pytest.raises(_Crash):
            await lost.work_on(mailing.id)
    assert len(peer.mails) == 6 * windows + (6 if after else 0)
    if lost_machine:
        lose_journals(installation)
    await restarted(installation, peer, mailing)
    doubtful = await in_doubt(installation, mailing)
    assert len(doubtful) == (6 if lost_machine else 0)
    assert peer.counted() == Counter(people(60) if after else set(people(60)) - doubtful)


@pytest.mark.parametrize("least", [1, 13, 37])
async def test_a_worker_that_is_cut_off_while_mail_is_leaving_leaves_at_most_a_window_in_doubt(
    installation: Installation, peer: SmtpPeer, least: int
) -> None:
    everybody = people(60)
    mailing = await mailing_to(installation, everybody)
    peer.slow(0.05)
    peer.slow(600, after=least)
    async with worker(installation, peer, 6) as lost:
        working = asyncio.create_task(lost.work_on(mailing.id))
        await eventually_async(lambda: _begun(peer, least + 1))
        await eventually_async(lambda: _begun(peer, len(peer.mails) + 1))
        await abandoned(working)
    peer.slow(0)
    await restarted(installation, peer, mailing)
    doubtful = await in_doubt(installation, mailing)
    assert len(doubtful) <= 6
    assert max(peer.counted().values()) == 1
    assert set(everybody) - set(peer.counted()) <= doubtful


async def restarted(installation: Installation, peer: SmtpPeer, mailing: Mailing) -> None:
    """Let a worker of the same name go on, and the mailing finish."""
    async with installation.database.write() as session:
        await ledger.release_of(session, "worker-0")
    await send(installation, peer, mailing)
    await finish(installation)
    progress = await standing(installation, mailing)
    doubtful = len(await in_doubt(installation, mailing))
    assert (progress.state, progress.delivered, progress.in_doubt) == (
        MailingState.FINISHED,
        progress.audience - doubtful,
        doubtful,
    )


async def test_a_stop_waits_for_the_window_that_is_on_its_way(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(60))
    peer.slow(0.3)
    async with worker(installation, peer, 6) as sender:
        working = asyncio.create_task(sender.work_on(mailing.id))
        await eventually_async(lambda: _busy(peer))
        sender.stop()
        await sender.drained()
        await working
    progress = await standing(installation, mailing)
    assert (progress.delivered, progress.in_doubt) == (len(peer.mails), 0)
    assert len(peer.mails) < 60
    peer.slow(0)
    await send(installation, peer, mailing)
    assert peer.counted() == Counter(people(60))


async def _busy(peer: SmtpPeer) -> bool:
    return any(command.startswith("DATA") for command in peer.commands)


async def test_what_a_slow_relay_has_begun_to_take_is_in_doubt_and_what_it_has_not_is_queued_again(
    installation: Installation, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a stop signal what is undecided after some seconds becomes in doubt (DESIGN §5)."""
    monkeypatch.setattr(sending, "DRAIN_SECONDS", 0.2)
    mailing = await mailing_to(installation, people(20))
    peer.slow(60)
    async with worker(installation, peer, 6) as sender:
        relay = sender._lines.pick("books@example.com").connections
        async with relay.borrow(), relay.borrow():  # letters that are on their way
            working = asyncio.create_task(sender.work_on(mailing.id))
            await eventually_async(lambda: _begun(peer, 4))
            sender.stop()
            await asyncio.wait_for(sender.drained(), 30)
        await working
    assert len(doubtful := await in_doubt(installation, mailing)) == 4
    progress = await standing(installation, mailing)
    assert (progress.in_doubt, progress.deferred, progress.queued) == (4, 0, 16)
    peer.slow(0)
    await send(installation, peer, mailing)
    await wait_for_retries(installation)
    await send(installation, peer, mailing)
    assert peer.counted() == Counter(set(people(20)) - doubtful)


async def _held(peer: SmtpPeer, least: int) -> bool:
    return peer.held >= least


async def _begun(peer: SmtpPeer, least: int) -> bool:
    return sum(command.startswith("DATA") for command in peer.commands) >= least


async def test_a_relay_that_is_down_refuses_nobody(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(30))
    peer.defer(reply="421 4.3.2 not now", stage="CONNECT", times=10)
    await send(installation, peer, mailing)
    assert peer.counted() == Counter(people(30))
    assert (await standing(installation, mailing)).delivered == 30


async def test_a_relay_that_takes_few_connections_gets_everything_all_the_same(
    installation: Installation, peer: SmtpPeer
) -> None:
    mailing = await mailing_to(installation, people(30))
    peer.defer(reply="421 4.7.0 too many connections", stage="CONNECT", times=5)
    for _ in range(3):
        await send(installation, peer, mailing)
        await wait_for_retries(installation)
    assert peer.counted() == Counter(people(30))
    assert (await standing(installation, mailing)).delivered == 30


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO", "MAIL", "RCPT"])
async def test_a_connection_lost_before_data_is_no_attempt(
    installation: Installation, peer: SmtpPeer, stage: str
) -> None:
    mailing = await mailing_to(installation, people(12))
    peer.hang_up(stage=stage, times=3)
    await send(installation, peer, mailing, connections=3)
    await wait_for_retries(installation)
    await send(installation, peer, mailing, connections=3)
    assert peer.counted() == Counter(people(12))
    progress = await standing(installation, mailing)
    assert (progress.delivered, progress.in_doubt, progress.refused) == (12, 0, 0)


async def test_421_in_the_middle_slows_down_and_fails_nobody(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(12))
    peer.defer("reader005@example.com", "421 4.4.5 closing", times=1)
    await send(installation, peer, mailing)
    assert set(peer.counted()) >= set(people(12)) - {"reader005@example.com"}
    await wait_for_retries(installation)
    await send(installation, peer, mailing)
    assert peer.counted() == Counter(people(12))


async def test_a_database_that_fails_for_a_moment_makes_no_doubt(
    installation: Installation, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing = await mailing_to(installation, people(20))
    failures = iter([OperationalError("COMMIT", {}, Exception("the database is restarting"))])
    append = ledger.append

    async def failing(session: Session, mailing_id: str, recorded: list[ledger.Recorded]) -> None:
        await append(session, mailing_id, recorded)
        if recorded and (error := next(failures, None)):
            raise error

    monkeypatch.setattr(ledger, "append", failing)
    await send(installation, peer, mailing, connections=5)
    assert peer.counted() == Counter(people(20))
    progress = await standing(installation, mailing)
    assert (progress.delivered, progress.in_doubt) == (20, 0)


async def test_two_workers_share_a_mailing_and_nobody_gets_it_twice(installation: Installation, peer: SmtpPeer) -> None:
    everybody = people(250)
    mailing = await mailing_to(installation, everybody)
    async with worker(installation, peer, 5, "left") as left, worker(installation, peer, 5, "right") as right:
        await asyncio.gather(left.work_on(mailing.id), right.work_on(mailing.id))
    assert peer.counted() == Counter(everybody)
    assert (await standing(installation, mailing)).delivered == 250


async def test_a_worker_that_lost_its_lease_begins_nothing_more(
    installation: Installation, peer: SmtpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was about to begin when it noticed may be in doubt: its heir can't know."""
    # However long it takes until its heir has come.
    monkeypatch.setattr(sending, "RENEW_SECONDS", 3600.0)
    everybody = people(30)
    mailing = await mailing_to(installation, everybody)
    peer.halt()
    async with worker(installation, peer, 5, "frozen") as frozen, worker(installation, peer, 5, "heir") as heir:
        stuck = asyncio.create_task(frozen.work_on(mailing.id))
        await eventually_async(lambda: _held(peer, 5))
        await wait_for_leases(installation)
        taking_over = asyncio.create_task(heir.work_on(mailing.id))
        await eventually_async(lambda: _held(peer, 6))
        peer.go_on()
        await asyncio.gather(stuck, taking_over)
    doubtful = await in_doubt(installation, mailing)
    assert len(doubtful) <= 5
    assert peer.counted() == Counter(set(everybody) - doubtful)
    progress = await standing(installation, mailing)
    assert progress.delivered == 30 - len(doubtful), "late evidence settled what else was in doubt"
