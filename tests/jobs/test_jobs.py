"""The queue is only the nudge: a job gets an id, runs until it has run, and leaves nothing personal (RULES C7)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import MetaData, select

from newsletter.database import queue_engine
from newsletter.installation import Installation
from newsletter.jobs import Jobs, _queue_url, every
from tests.support.waiting import eventually_async


async def is_true(probe: Callable[[], bool]) -> bool:
    return probe()


@pytest.fixture
async def jobs(installation: Installation) -> AsyncIterator[Jobs]:
    """Give the queue, not yet started."""
    queue = Jobs(installation.database.url, "worker-0", installation.clock)
    yield queue
    await queue.stop()


def remembered(installation: Installation) -> str:
    """Give all that the queue's tables hold, as text."""
    engine = queue_engine(_queue_url(installation.database.url))
    metadata = MetaData()
    with engine.connect() as connection:
        schema = None if installation.database.on_sqlite else "dbos"
        metadata.reflect(connection, schema=schema)
        rows = [row for table in metadata.tables.values() for row in connection.execute(select(table)).all()]
    engine.dispose()
    return repr(rows)


async def test_a_job_runs_for_its_subject_and_once_however_often_it_is_asked_for(
    installation: Installation, jobs: Jobs
) -> None:
    ran: Counter[str] = Counter()
    done = asyncio.Event()

    async def send(subject: str) -> None:
        ran[subject] += 1
        await done.wait()

    jobs.register("send", send)
    await jobs.start()
    for subject in ("one", "two", "one", "one"):
        await jobs.enqueue("send", subject)
    await eventually_async(lambda: is_true(lambda: len(ran) == 2))
    await jobs.enqueue("send", "one")
    done.set()
    assert ran == {"one": 1, "two": 1}
    # Once it has run it may be asked for again.
    await eventually_async(lambda: asked_again(jobs, ran))


async def asked_again(jobs: Jobs, ran: Counter[str]) -> bool:
    await jobs.enqueue("send", "one")
    return ran["one"] > 1


async def test_a_job_that_fails_tells_its_kind_alone(installation: Installation, jobs: Jobs) -> None:
    tried = asyncio.Event()

    async def fail(subject: str) -> None:
        tried.set()
        raise ValueError("kari@example.com")

    jobs.register("fail", fail)
    await jobs.start()
    await jobs.enqueue("fail", "an-id")
    await tried.wait()
    await eventually_async(lambda: is_true(lambda: "ERROR" in remembered(installation)))
    held = remembered(installation)
    assert "an-id" in held
    assert "kari" not in held


async def test_a_schedule_runs_again_and_again(jobs: Jobs) -> None:
    rounds: list[str] = []

    async def tidy(subject: str) -> None:
        rounds.append(subject)

    jobs.register("tidy", tidy, cron="* * * * * *")
    await jobs.start()
    await eventually_async(lambda: is_true(lambda: len(rounds) > 1))
    assert set(rounds) == {""}


async def test_what_was_not_finished_is_taken_up_at_the_next_start(installation: Installation) -> None:
    ran: list[str] = []
    begun, never = asyncio.Event(), asyncio.Event()

    async def hang(subject: str) -> None:
        begun.set()
        await never.wait()

    async def work(subject: str) -> None:
        ran.append(subject)

    first = Jobs(installation.database.url, "worker-0", installation.clock)
    first.register("send", hang)
    await first.start()
    await first.enqueue("send", "one")
    await begun.wait()
    await first.stop()
    second = Jobs(installation.database.url, "worker-0", installation.clock)
    second.register("send", work)
    await second.start()
    await eventually_async(lambda: is_true(lambda: ran == ["one"]))
    never.set()
    await second.stop()


async def test_what_stops_after_the_queue_still_has_threads(jobs: Jobs) -> None:
    await jobs.start()
    await jobs.stop()
    assert await asyncio.to_thread(str, 1) == "1"


async def test_a_loop_goes_on_after_an_error_and_ends_when_told() -> None:
    stop, rounds = asyncio.Event(), 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            stop.set()
        raise ConnectionError

    await asyncio.wait_for(every(0.01, "test", work, stop), 60)
    assert rounds == 3


async def test_a_loop_that_waits_ends_at_once() -> None:
    stop, begun = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()

    loop = asyncio.create_task(every(3600, "test", work, stop))
    await begun.wait()
    stop.set()
    await asyncio.wait_for(loop, 60)
