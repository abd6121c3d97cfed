"""What a worker says of its own listener, for whoever looks at the console: one row, written when it changes."""

import asyncio

from sqlalchemy import delete
from sqlmodel import col

from newsletter.bounces.listener.tables import Listening
from newsletter.database import insert
from newsletter.installation import Installation


class Telling:
    """The row of one worker. A predecessor of its name may have left one."""

    def __init__(self, installation: Installation, worker: str) -> None:
        self._installation = installation
        self._worker = worker
        self._said: tuple[str, str | None] | None = None
        self._begun = False
        self._ended = False
        self._one_at_a_time = asyncio.Lock()

    async def say(self, place: str, trouble: str | None) -> None:
        """Say that the worker listens at a place, or what keeps it from that."""
        async with self._one_at_a_time:
            if self._ended or self._said == (place, trouble):
                return
            now = self._installation.clock.now()
            values = {"worker": self._worker, "place": place, "trouble": trouble, "since": now}
            async with self._installation.database.write() as session:
                statement = insert(session, Listening).values(**values)
                await session.execute(statement.on_conflict_do_update(index_elements=["worker"], set_=values))
            self._said, self._begun = (place, trouble), True

    async def say_nothing(self) -> None:
        """Say that this worker is not to listen."""
        async with self._one_at_a_time:
            if not self._begun:
                await self._take_back()
                self._begun = True

    async def end(self) -> None:
        """Take back what was said, for good."""
        async with self._one_at_a_time:
            self._ended = True
            if self._said is not None:
                await self._take_back()

    async def _take_back(self) -> None:
        async with self._installation.database.write() as session:
            await session.execute(delete(Listening).where(col(Listening.worker) == self._worker))
