"""What is to be done every ten minutes is done once by the first of the living, and by the next where that one died."""

from datetime import timedelta

from sqlalchemy import update
from sqlmodel import col

from newsletter.clock import TurnedClock
from newsletter.hearts import SILENT_SECONDS, Heartbeat, beat, is_first
from newsletter.installation import Installation
from newsletter.worker.marks import Marks


class Worker:
    """A worker with that name, at its marks."""

    def __init__(self, installation: Installation, name: str) -> None:
        self._installation, self._name, self.done = installation, name, 0
        self.marks = Marks(installation.clock, self._is_mine, self._work)

    async def _is_mine(self) -> bool:
        async with self._installation.database.read() as session:
            return await is_first(session, self._name)

    async def _work(self) -> None:
        self.done += 1

    async def live(self) -> None:
        async with self._installation.database.write() as session:
            await beat(session, self._name)

    async def die(self) -> None:
        """Be silent for longer than the living are."""
        async with self._installation.database.write() as session:
            silent = update(Heartbeat).where(col(Heartbeat.worker) == self._name)
            await session.execute(silent.values(seen_at=col(Heartbeat.seen_at) - SILENT_SECONDS - 1))


async def test_one_of_all_does_it_once_at_each_mark(installation: Installation, clock: TurnedClock) -> None:
    workers = [Worker(installation, name) for name in ("a-0", "b-0", "b-1")]
    for worker in workers:
        await worker.live()
    for _ in range(3):
        for worker in workers * 2:
            await worker.marks.work()
        clock.turn(clock.now() + timedelta(minutes=10))
    assert [worker.done for worker in workers] == [2, 0, 0]


async def test_where_the_first_has_died_the_next_one_does_it(installation: Installation, clock: TurnedClock) -> None:
    first, second = Worker(installation, "a-0"), Worker(installation, "b-0")
    await first.live()
    await second.live()
    clock.turn(clock.now() + timedelta(minutes=10))
    await second.marks.work()
    assert second.done == 0
    await first.die()
    await second.marks.work()
    assert second.done == 1
