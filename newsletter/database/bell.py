"""The bell: it rings when something was committed that somebody may wait for, here or in another process.

In a process whoever wants to know is called. Other processes hear it from PostgreSQL's NOTIFY, several commits in one,
sent behind the commits so that none of them waits for it; on SQLite they see that the file's `data_version` has changed
(`hearing.py`). A bell may be missed, where a process is killed behind its commit or a connection is cut: it is there to
be early, and whoever waits looks again by and by.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from newsletter.tokens import new_id

CHANNEL = "newsletter_bell"
# Commits within so short a time are told of together.
_GATHER_SECONDS = 0.02
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', :ringer)")
Called = Callable[[], None]


class Bell:
    """The bell of one process, on the database of `engine`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.name = new_id()
        self._engine = engine
        self._across = engine.dialect.name == "postgresql"
        self._called: list[Called] = []
        self._telling: asyncio.Task[None] | None = None
        self._rung = self._told = 0
        self._closing = asyncio.Event()

    def call(self, called: Called) -> None:
        """Call that function, within the loop, whenever the bell rings from now on."""
        self._called.append(called)

    def ring(self) -> None:
        """Say that something was committed, to this process now and to the others in a moment."""
        self.ring_here()
        self._rung += 1
        if self._across and self._telling is None:
            self._telling = asyncio.create_task(self._tell_soon())

    def ring_here(self) -> None:
        """Say that something was committed by another process, which has told the others itself."""
        for called in self._called:
            called()

    async def close(self) -> None:
        """Tell the others what they were not told yet."""
        self._closing.set()
        if self._telling is not None:
            await self._telling

    async def _tell_soon(self) -> None:
        while self._told < self._rung:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), _GATHER_SECONDS)
            self._told = self._rung
            await self._tell()
        self._telling = None

    async def _tell(self) -> None:
        # Where the database is away, by whatever error, there is nothing to be early for.
        with suppress(Exception):
            async with self._engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(_NOTIFY, {"ringer": self.name})
