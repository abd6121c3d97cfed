"""Counting: how often, for how many, by link and by hour; each mail once, machines apart (DESIGN §6)."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func
from sqlmodel import select

from newsletter.clock import TurnedClock
from newsletter.database import Database
from newsletter.delivery import actions
from newsletter.delivery.tables import Mailing
from newsletter.figures.actions import Figures, figures_of
from newsletter.installation import Installation
from newsletter.measurement.counting import WHILE_SENDING, Counting
from newsletter.measurement.links import OPEN, Hit
from newsletter.measurement.rules import Verdict
from newsletter.measurement.tables import Count, MeasurementKey, Seen
from newsletter.tokens import new_nonce
from tests.delivery.cast import finish, mailing_to, people, send, steer, wait_for_retries
from tests.support.peer import SmtpPeer


@pytest.fixture
async def mailing(installation: Installation, peer: SmtpPeer) -> Mailing:
    """Give a mailing that 25 have and of which nothing is left."""
    begun = await mailing_to(installation, people(25))
    await send(installation, peer, begun)
    await finish(installation)
    return begun


class Counter:
    """Counts hits as a process of the program does."""

    def __init__(self, installation: Installation, issue_id: str) -> None:
        self._counting = Counting(installation.database, installation.clock)
        self._issue_id = issue_id

    async def count(self, *hits: tuple[bytes, int], verdict: Verdict = Verdict.HUMAN) -> None:
        """Count hits: a nonce and a link each."""
        for nonce, link in hits:
            self._counting.add(Hit(self._issue_id, nonce, link), verdict)
        await self._counting.write()


async def figures(installation: Installation, mailing: Mailing) -> Figures:
    async with installation.database.read() as session:
        return await figures_of(session, mailing.issue_id)


async def hours(installation: Installation) -> dict[datetime, int]:
    async with installation.database.read() as session:
        counts = (await session.exec(select(Count).where(Count.link == OPEN))).all()
    return {count.hour: count.total for count in counts}


async def test_total_unique_and_by_link(installation: Installation, mailing: Mailing) -> None:
    counter = Counter(installation, mailing.issue_id)
    kari, ola = new_nonce(), new_nonce()
    await counter.count((kari, OPEN), (kari, OPEN), (ola, OPEN), (kari, 0), (kari, 1))
    await counter.count((kari, OPEN), (kari, 0), (ola, 1))
    found = await figures(installation, mailing)
    assert (found.opens.total, found.opens.unique, found.opens.machine) == (4, 2, 0)
    assert (found.clicks.total, found.clicks.unique) == (4, 2)
    assert [(link.url, link.total, link.unique) for link in found.clicks.links] == [
        ("https://example.com/story", 2, 1),
        ("https://example.com/other", 2, 2),
    ]


async def test_machines_are_counted_apart_and_hide_no_person(installation: Installation, mailing: Mailing) -> None:
    """RULES D5. A scanner that was there first does not take the open away from its reader."""
    counter = Counter(installation, mailing.issue_id)
    kari = new_nonce()
    await counter.count((kari, OPEN), verdict=Verdict.PROXY)
    await counter.count((kari, OPEN), (kari, 0), verdict=Verdict.SCANNER)
    await counter.count((kari, OPEN), (kari, 0))
    found = await figures(installation, mailing)
    assert (found.opens.total, found.opens.unique, found.opens.machine) == (1, 1, 2)
    assert (found.clicks.total, found.clicks.unique) == (1, 1)


async def test_two_processes_that_count_the_same_mails_at_once_count_them_once(
    installation: Installation, mailing: Mailing
) -> None:
    other = Database(installation.database.url)
    nonces = [new_nonce() for _ in range(400)]
    here = Counting(installation.database, installation.clock)
    there = Counting(other, installation.clock)
    try:
        for nonce, again in zip(nonces, reversed(nonces), strict=True):
            here.add(Hit(mailing.issue_id, nonce, OPEN), Verdict.HUMAN)
            there.add(Hit(mailing.issue_id, again, OPEN), Verdict.HUMAN)
        await asyncio.gather(here.write(), there.write())
    finally:
        await other.close()
    found = await figures(installation, mailing)
    assert (found.opens.total, found.opens.unique) == (800, 400)


async def test_no_hour_is_kept_until_the_last_retry_has_left(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    """DESIGN §6: while mail is leaving, an hour could be held against the order of delivery."""
    mailing = await mailing_to(installation, people(30))
    counter = Counter(installation, mailing.issue_id)
    await counter.count((new_nonce(), OPEN))
    await finish(installation)
    await counter.count((new_nonce(), OPEN))
    peer.defer("reader003@example.com", times=1)
    await send(installation, peer, mailing)
    await finish(installation)
    await counter.count((new_nonce(), OPEN))
    assert await hours(installation) == {WHILE_SENDING: 3}
    await wait_for_retries(installation)
    await send(installation, peer, mailing)
    await finish(installation)
    await counter.count((new_nonce(), OPEN))
    clock.turn(clock.now() + timedelta(hours=1, minutes=20))
    await counter.count((new_nonce(), OPEN))
    nine = datetime.fromisoformat("2026-11-02T09:00Z")
    assert await hours(installation) == {WHILE_SENDING: 3, nine: 1, nine + timedelta(hours=1): 1}


async def test_a_cancelled_mailing_keeps_hours_from_then_on(installation: Installation, peer: SmtpPeer) -> None:
    mailing = await mailing_to(installation, people(5))
    counter = Counter(installation, mailing.issue_id)
    await counter.count((new_nonce(), OPEN))
    await steer(installation, mailing, "cancel")
    await counter.count((new_nonce(), OPEN))
    assert await hours(installation) == {WHILE_SENDING: 1, datetime.fromisoformat("2026-11-02T09:00Z"): 1}


async def test_marks_outlive_the_end_of_the_mailing_so_that_nobody_counts_twice(
    installation: Installation, peer: SmtpPeer
) -> None:
    mailing = await mailing_to(installation, people(5))
    counter = Counter(installation, mailing.issue_id)
    kari = new_nonce()
    await counter.count((kari, OPEN))
    await send(installation, peer, mailing)
    await finish(installation)
    await counter.count((kari, OPEN))
    found = await figures(installation, mailing)
    assert (found.opens.total, found.opens.unique) == (2, 1)


async def test_after_thirty_days_the_marks_are_destroyed_and_the_numbers_stay(
    installation: Installation, clock: TurnedClock, mailing: Mailing
) -> None:
    counter = Counter(installation, mailing.issue_id)
    await counter.count((new_nonce(), OPEN), (new_nonce(), 0))
    before = await figures(installation, mailing)
    for days, left in ((29, 1), (2, 0)):
        clock.turn(clock.now() + timedelta(days=days))
        async with installation.database.write() as session:
            await actions.forget_old_marks(session, clock)
            assert (await session.exec(select(func.count()).select_from(MeasurementKey))).one() == left
            assert (await session.exec(select(func.count()).select_from(Seen))).one() == 3 * left
    await counter.count((new_nonce(), OPEN))
    assert await figures(installation, mailing) == before


async def test_an_issue_that_is_not_measured_counts_nothing(installation: Installation, mailing: Mailing) -> None:
    await Counter(installation, "a" * 26).count((new_nonce(), OPEN))
    assert (await figures(installation, mailing)).opens.total == 0


async def test_what_could_not_be_written_waits_on(
    installation: Installation, mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(installation.database, installation.clock)
    counting.add(Hit(mailing.issue_id, new_nonce(), OPEN), Verdict.HUMAN)
    count = Counting._count

    async def failing(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(Counting, "_count", failing)
    with pytest.raises(ConnectionError):
        await counting.write()
    monkeypatch.setattr(Counting, "_count", count)
    await counting.write()
    await counting.write()
    assert (await figures(installation, mailing)).opens.total == 1
