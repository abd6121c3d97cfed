"""What a worker says of its own listener, for whoever looks at the console: one row, written when it changes."""

import asyncio

from sqlalchemy import ColumnElement, delete
from sqlmodel import col

from newsletter.bounces.listener.tables import Listening
from newsletter.database import insert
from newsletter.hearts import is_dead_beside
from newsletter.installation import Installation

# A worker that died just now seems to live for half a minute.
_SECONDS_APART = 60.0


class Telling:
    """The row of one worker. A predecessor of its name may have left one."""

    def __init__(self, installation: Installation, worker: str) -> None:
        self._installation = installation
        self._worker = worker
        self._said: tuple[str, str | None] | None = None
        self._again_at = 0.0
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
            self._said = (place, trouble)

    async def say_nothing(self) -> None:
        """Say that this worker is not to listen; nor are those of its machine, whatever a dead one has said."""
        async with self._one_at_a_time:
            now = self._installation.clock.monotonic()
            if now >= self._again_at:
                self._again_at = now + _SECONDS_APART
                await self._take_back(or_where=is_dead_beside(col(Listening.worker), self._worker))

    async def end(self) -> None:
        """Take back what was said, for good."""
        async with self._one_at_a_time:
            self._ended = True
            if self._said is not None:
                await self._take_back()

    async def _take_back(self, or_where: ColumnElement[bool] | None = None) -> None:
        own = col(Listening.worker) == self._worker
        async with self._installation.database.write() as session:
            await session.execute(delete(Listening).where(own if or_where is None else own | or_where))
