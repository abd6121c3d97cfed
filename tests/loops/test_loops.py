"""A loop rests until the database has something for it: rung for here, told of by another process, or come due."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, update
from sqlmodel import col, delete, select

from newsletter import loops
from newsletter.clock import SystemClock, TurnedClock
from newsletter.database import Database
from newsletter.installation import Installation
from newsletter.loops import Due, Loop, Loops, every
from newsletter.mail.outbox import enqueue
from newsletter.mail.tables import Letter, LetterKind

# Longer than any bell takes, and never waited for where it rings.
LONG = 60.0


class Postman:
    """Takes every letter that is due, as the worker's loop does, and counts how often it came."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.came = 0
        self.took = asyncio.Event()

    @property
    def due(self) -> tuple[Due, ...]:
        return (select(func.min(Letter.due_at)),)

    async def work(self) -> None:
        self.came += 1
        now = self.installation.clock.now()
        async with self.installation.database.write() as session:
            taken = await session.execute(delete(Letter).where(col(Letter.due_at) <= now).returning(col(Letter.id)))
        if taken.all():
            self.took.set()


@asynccontextmanager
async def running(installation: Installation, *some: Loop) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(Loops(installation, some, stop).run())
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, LONG)


async def post(database: Database, installation: Installation) -> None:
    async with database.write() as session:
        enqueue(session, installation.clock, LetterKind.CONFIRMATION)


@pytest.fixture
def no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be found by the sweep, which comes to the rescue of every other way."""
    monkeypatch.setattr(loops, "SWEEP_SECONDS", 3600.0)


@pytest.mark.usefixtures("no_sweep")
async def test_what_this_process_commits_is_seen_to(installation: Installation) -> None:
    postman = Postman(installation)
    async with running(installation, Loop("post", postman.work, postman.due)):
        for _ in range(3):
            postman.took.clear()
            await post(installation.database, installation)
            await asyncio.wait_for(postman.took.wait(), LONG)


@pytest.mark.usefixtures("no_sweep")
async def test_what_another_process_commits_is_seen_to(installation: Installation) -> None:
    postman = Postman(installation)
    other = Database(installation.database.url)
    async with running(installation, Loop("post", postman.work, postman.due)):
        for _ in range(3):
            postman.took.clear()
            await post(other, installation)
            await asyncio.wait_for(postman.took.wait(), LONG)
    await other.close()


@pytest.mark.usefixtures("no_sweep")
async def test_a_process_that_ends_at_once_has_told_the_others(installation: Installation) -> None:
    """A command commits and is gone: what it had not told yet, it tells at its end."""
    postman = Postman(installation)
    async with running(installation, Loop("post", postman.work, postman.due)):
        await asyncio.wait_for(_came(postman, 1), LONG)
        other = Database(installation.database.url)
        await post(other, installation)
        await other.close()
        await asyncio.wait_for(postman.took.wait(), LONG)


async def test_a_bell_that_nobody_hears_is_made_up_for_by_the_sweep(installation: Installation) -> None:
    postman = Postman(installation)
    async with running(installation, Loop("post", postman.work, postman.due)):
        await asyncio.wait_for(_came(postman, 1), LONG)
        async with installation.database.write(quietly=True) as session:
            enqueue(session, installation.clock, LetterKind.CONFIRMATION)
        await asyncio.wait_for(postman.took.wait(), LONG)


@pytest.mark.usefixtures("no_sweep")
async def test_what_comes_due_with_time_is_seen_to_then(installation: Installation) -> None:
    postman = Postman(replace(installation, clock=SystemClock()))
    ours = postman.installation
    async with running(ours, Loop("post", postman.work, postman.due)):
        await asyncio.wait_for(_came(postman, 1), LONG)
        async with ours.database.write() as session:
            enqueue(session, ours.clock, LetterKind.CONFIRMATION)
            await session.flush()
            later = update(Letter).values(due_at=ours.clock.now() + timedelta(seconds=0.5))
            await session.execute(later)
        await asyncio.wait_for(postman.took.wait(), LONG)
        async with ours.database.read() as session:
            assert (await session.exec(select(Letter))).first() is None


async def test_a_clock_that_is_set_forward_is_noticed(installation: Installation, clock: TurnedClock) -> None:
    postman = Postman(installation)
    await post(installation.database, installation)
    async with installation.database.write() as session:
        await session.execute(update(Letter).values(due_at=clock.now() + timedelta(hours=1)))
    async with running(installation, Loop("post", postman.work, postman.due)):
        await asyncio.wait_for(_came(postman, 1), LONG)
        assert not postman.took.is_set()
        clock.turn(clock.now() + timedelta(hours=1))
        await asyncio.wait_for(postman.took.wait(), LONG)


async def test_without_anything_to_do_nothing_is_done(installation: Installation) -> None:
    """The bell rings for the commits of others, and whoever they do not concern rests on."""
    postman = Postman(installation)
    looks: list[float] = []

    async def busy() -> None:
        looks.append(0.0)
        async with installation.database.write() as session:
            await session.execute(delete(Letter))

    async with running(installation, Loop("post", postman.work, postman.due), Loop("busy", busy, every=0.01, pace=0)):
        await asyncio.wait_for(_true(lambda: len(looks) >= 50), LONG)
    assert postman.came == 1


async def test_a_loop_goes_on_after_an_error_and_tells_of_it_once(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds = 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        raise ConnectionError("kari@example.com")

    async with running(installation, Loop("broken", work, every=0.01, pace=0.0)):
        await asyncio.wait_for(_true(lambda: rounds >= 5), LONG)
    told = [line for line in capsys.readouterr().out.splitlines() if "loop_failed" in line]
    assert len(told) == 1
    assert "kari" not in told[0]


async def test_a_plain_loop_goes_on_after_an_error_and_ends_when_told() -> None:
    stop, rounds = asyncio.Event(), 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            stop.set()
        raise ConnectionError

    await asyncio.wait_for(every(0.01, "test", work, stop), LONG)
    assert rounds == 3


async def test_a_plain_loop_that_waits_ends_at_once() -> None:
    stop, begun = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()

    loop = asyncio.create_task(every(3600, "test", work, stop))
    await begun.wait()
    stop.set()
    await asyncio.wait_for(loop, LONG)


def _came(postman: Postman, times: int) -> Awaitable[None]:
    return _true(lambda: postman.came >= times)


async def _true(probe: Callable[[], bool]) -> None:
    while not probe():  # noqa: ASYNC110 (what is waited for rings no bell)
        await asyncio.sleep(0.01)
