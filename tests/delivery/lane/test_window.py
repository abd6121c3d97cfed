"""A window on its way: nothing is begun for who left, once it is to stop, or after its lease (RULES E3, promise P4)."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from newsletter.clock import TurnedClock
from newsletter.delivery import ledger, rules
from newsletter.delivery.lane import journal, sending
from newsletter.delivery.lane.content import edition_of
from newsletter.delivery.lane.journal import Journal
from newsletter.delivery.lane.window import Held, Window
from newsletter.delivery.tables import Block, MailingState
from newsletter.installation import Installation
from newsletter.subscribers.tables import Subscriber
from tests.conftest import MORNING
from tests.delivery.cast import (
    finish,
    mailing_to,
    people,
    results,
    send,
    standing,
    steer,
    unsubscribe,
    wait_for_retries,
    worker,
)
from tests.delivery.lane.gated import GatedPeer, stuck_worker
from tests.support.peer import SmtpPeer

WINDOW, BEGUN = 20, 2


@pytest.fixture
def gated(monkeypatch: pytest.MonkeyPatch) -> Iterator[GatedPeer]:
    """Give a relay that takes no content until it is told to; who waits is looked up all the time."""
    monkeypatch.setattr(sending, "LOOK_SECONDS", 0.02)
    with GatedPeer() as server:
        yield server


async def test_who_leaves_while_a_slow_window_is_on_its_way_gets_nothing(
    installation: Installation, gated: GatedPeer
) -> None:
    mailing = await mailing_to(installation, people(WINDOW))
    async with stuck_worker(installation, gated, WINDOW, BEGUN, mailing.id) as (sender, _):
        leaving = sorted(set(people(WINDOW)) - gated.asked_for)[:3]
        for email in leaving:
            await unsubscribe(installation, email)
        await sender.waits_for(WINDOW - BEGUN - 3)
    assert gated.counted() == Counter(set(people(WINDOW)) - set(leaving))
    await finish(installation)
    progress = await standing(installation, mailing)
    assert (progress.state, progress.delivered, progress.withdrawn) == (MailingState.FINISHED, WINDOW - 3, 3)


@pytest.mark.parametrize("verb", ["pause", "cancel"])
async def test_a_mailing_that_is_paused_or_cancelled_begins_nothing_more(
    installation: Installation, gated: GatedPeer, verb: str
) -> None:
    mailing = await mailing_to(installation, people(2 * WINDOW))
    async with stuck_worker(installation, gated, WINDOW, BEGUN, mailing.id) as (sender, _):
        await steer(installation, mailing, verb)
        await sender.waits_for(0)
    assert len(gated.mails) == BEGUN
    progress = await standing(installation, mailing)
    left = 2 * WINDOW - BEGUN
    assert (progress.delivered, progress.in_doubt) == (BEGUN, 0)
    assert (progress.queued, progress.withdrawn) == ((left, 0) if verb == "pause" else (0, left))
    if verb == "pause":
        await steer(installation, mailing, "resume")
        await send(installation, gated, mailing)
        assert gated.counted() == Counter(people(2 * WINDOW))


async def test_after_a_stop_signal_nothing_more_is_begun(installation: Installation, gated: GatedPeer) -> None:
    mailing = await mailing_to(installation, people(2 * WINDOW))
    async with stuck_worker(installation, gated, WINDOW, BEGUN, mailing.id) as (sender, _):
        sender.stop()
        await sender.waits_for(0)
    assert len(gated.mails) == BEGUN
    await send(installation, gated, mailing)
    assert gated.counted() == Counter(people(2 * WINDOW))
    assert (await standing(installation, mailing)).delivered == 2 * WINDOW


async def test_where_nobody_can_look_any_more_nothing_more_is_begun(
    installation: Installation, gated: GatedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing = await mailing_to(installation, people(WINDOW))
    async with stuck_worker(installation, gated, WINDOW, BEGUN, mailing.id) as (sender, _):

        async def broken(*_: Any) -> set[int]:
            raise LookupError

        monkeypatch.setattr(ledger, "still_mailable", broken)
        await sender.waits_for(0)
        monkeypatch.undo()
    await wait_for_retries(installation)
    await send(installation, gated, mailing)
    assert gated.counted() == Counter(people(WINDOW))


class TurningPeer(SmtpPeer):
    """Turns the clock beyond any lease when it has been asked to take the fifth mail."""

    clock: TurnedClock
    asked = 0

    async def _obey(self, talk: Any, line: str) -> None:
        self.asked += line == "DATA"
        if self.asked == 5 and line == "DATA":
            self.clock.turn(self.clock.now() + timedelta(seconds=26))
        await super()._obey(talk, line)


@pytest.mark.parametrize(("largest", "behind"), [(12, 0), (3, 2)])
async def test_nothing_is_begun_when_the_lease_may_have_run_out(
    installation: Installation, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch, largest: int, behind: int
) -> None:
    """The fifth is the last of its window of four, or the first of three."""
    # Any machine is fast enough for windows that grow where half a second is an hour.
    monkeypatch.setattr(rules, "_WINDOW_SECONDS", 3600.0)
    everybody = people(12)
    with TurningPeer() as peer:
        peer.clock = clock
        mailing = await mailing_to(installation, everybody)
        async with worker(installation, peer, 1, largest=largest) as sender:
            # One connection, and so one after the other.
            await sender.work_on(mailing.id)
        fifth = [command.partition("<")[2].rstrip(">") for command in peer.commands if command.startswith("RCPT")][4]
        left_out = set(everybody) - set(peer.counted())
        assert fifth in left_out
        assert len(left_out) == 1 + behind, "those behind it in its window are begun no more than it is"
        assert not await results(installation, mailing, fifth), "nothing has left, so nothing has happened to it"
        await wait_for_retries(installation)
        await send(installation, peer, mailing)
        assert peer.counted() == Counter(everybody)


class WatchingClock(TurnedClock):
    """Notes at each look at the time how many of a journal's deliveries have been begun."""

    folder: Path

    def __init__(self) -> None:
        super().__init__(MORNING)
        self.seen: list[int] = []

    def monotonic(self) -> float:
        files = [path.read_bytes()[journal._HEADER :: journal._SIZE] for path in self.folder.glob("*.journal")]
        self.seen.append(sum(entry != journal.Entry.NOT_BEGUN for file in files for entry in file))
        return super().monotonic()


async def test_the_journal_is_marked_before_the_clock_is_read(installation: Installation) -> None:
    """Whoever takes the block over when the lease has run out sees that mark, or the mail is not begun."""
    clock = WatchingClock()
    clock.folder = installation.settings.journal_dir
    mailing = await mailing_to(installation, people(10))
    async with installation.database.write() as session:
        edition = await edition_of(session, installation, mailing.issue_id)
        block = await session.get_one(Block, (mailing.id, 0))
        recipients = await ledger.window(session, block, 10)
    window = Window(edition, Held(block, recipients, Journal(clock.folder, block, 0, 9), 25.0), clock)
    clock.seen.clear()
    while (mail := window.take()) is not None:
        mail.begun()
    assert clock.seen == list(range(1, 11))


async def test_what_can_t_be_written_stops_nobody_else(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(12))
    async with installation.database.write() as session:
        broken = update(Subscriber).where(col(Subscriber.canonical) == "reader003@example.com")
        await session.execute(broken.values(email="reader003@exam\r\nple.com"))
    await send(installation, peer, mailing)
    assert peer.counted() == Counter(set(people(12)) - {"reader003@example.com"})
    progress = await standing(installation, mailing)
    assert (progress.delivered, progress.refused, progress.queued) == (11, 1, 0)
    [result] = await results(installation, mailing, "reader003@example.com")
    assert (result.stage, result.code) == ("write", None)
