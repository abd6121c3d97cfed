"""An open database: one way to read, one way to write.

A write session commits once, at its end, and only where no exception came out. Then the bell rings, unless nobody can
wait for what was committed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession as Session

from newsletter.database.bell import Bell
from newsletter.database.engines import async_engine, plain_engine
from newsletter.database.forgetting import Forgetting, rewrite
from newsletter.database.hearing import hear
from newsletter.database.immediate import carry_out

T = TypeVar("T")
# 128 MB of pages, and about as much in the write-ahead log before it is worked in.
_ROOM = ("cache_size=-131072", "wal_autocheckpoint=32768")


class Database:
    """An open database. Make it inside the running event loop, and close it there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.on_sqlite = url.startswith("sqlite")
        self._engine = async_engine(url)
        self._plain_engine = plain_engine(url) if self.on_sqlite else None
        self._writing = asyncio.Lock()
        self._forgetting = Forgetting()
        self.bell = Bell(self._engine)
        self._sessions = async_sessionmaker(self._engine, class_=Session, expire_on_commit=False)
        self._readers = async_sessionmaker(
            self._engine.execution_options(read_only=True), class_=Session, expire_on_commit=False
        )

    @asynccontextmanager
    async def write(self, *, quietly: bool = False) -> AsyncIterator[Session]:
        """Give a session that commits at its end, once, and rolls back where an exception comes out.

        `quietly` is what no loop waits for: the bell does not ring.
        """
        if not self.on_sqlite:
            async with self._sessions.begin() as session:
                yield session
        else:
            # SQLite has one writer: waiting in line here is cheaper than polling for its lock.
            async with self._writing, self._sessions.begin() as session:
                yield session
        if not quietly:
            self.bell.ring()

    async def write_at_once(self, work: Callable[[Session], Awaitable[T]], *, quietly: bool = False) -> T:
        """Do `work`, which must wait for nothing but its session, as `write` would; on SQLite in a thread, as a whole.

        A transaction in a thread can't be cancelled half-way: whoever is cancelled meanwhile waits for its end.
        """
        if self._plain_engine is None:
            async with self.write(quietly=quietly) as session:
                return await work(session)
        async with self._writing:
            errand = asyncio.ensure_future(asyncio.to_thread(carry_out, self._plain_engine, work))
            try:
                done = await asyncio.shield(errand)
            finally:
                if not errand.done():
                    await asyncio.wait((errand,))
        if not quietly:
            self.bell.ring()
        return done

    async def make_room(self) -> None:
        """Let what is written at once keep many pages in memory, for a program that writes a million rows and ends.

        With random ids each row touches pages of its own in every index: SQLite would read and write them again and
        again.
        """

        async def widen(session: Session) -> None:
            for pragma in _ROOM:
                await session.execute(text(f"PRAGMA {pragma}"))

        if self.on_sqlite:
            await self.write_at_once(widen)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """Give a session that only reads; nothing done in it is kept."""
        async with self._readers() as session:
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Session]:
        """Give a session that only reads, and sees everything as it was at its first look."""
        async with self.read() as session:
            if not self.on_sqlite:
                await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    async def forget(self, *, briefly: bool = False) -> bool:
        """On SQLite, take the bytes of deleted people out of the raw files (RULES C7); say whether that was done."""
        if not self.on_sqlite:
            return True
        async with self._writing, self._engine.connect() as connection:
            # Not within a transaction of SQLAlchemy's: neither can run in one.
            driver = (await connection.get_raw_connection()).driver_connection
            return await self._forgetting.forget(driver, briefly=briefly)

    async def forget_later(self) -> None:
        """Break off a `forget` that is writing the file anew: whoever stops can't wait for a large one."""
        await self._forgetting.break_off()

    async def rewrite(self, table: Table) -> bool:
        """On PostgreSQL, write a table anew, without what was deleted from it; say whether that was done."""
        return await rewrite(self._engine, table)

    async def ping(self) -> None:
        """Ask the database for a sign of life; raises where it has none."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def hear(self) -> None:
        """Let the bell ring for what other processes commit, too, for as long as this task lives."""
        await hear(self._engine, self.bell)

    async def close(self) -> None:
        """Close every connection."""
        await self.bell.close()
        await self._engine.dispose()
        if self._plain_engine is not None:
            await asyncio.to_thread(self._plain_engine.dispose)
