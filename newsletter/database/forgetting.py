"""Taking the bytes of deleted people out of the raw files (RULES C7).

SQLite overwrites deleted content (`secure_delete`), and its write-ahead log is emptied here. That is not enough: when
SQLite parts or joins pages, it leaves copies of rows in the gaps of those pages, where `secure_delete` doesn't reach
(about one row in a thousand, as measured). So a transaction that deletes somebody raises the file's `user_version`, and
the file is then written anew. On PostgreSQL it is the tables that are.
"""

import asyncio
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from newsletter.database.engines import BUSY_SECONDS

_WAIT_SECONDS = 1
# Writing the file anew takes about 1.5 s for 100,000 subscribers, and nobody else can write meanwhile: so it rests nine
# times as long as it worked.
_REST = 9
_LARGE = 64 * 1024 * 1024
_LOOK_SECONDS = 0.02
# Whatever was deleted by now, a transaction below this number has deleted.
_BOUND = text("SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text)")
# Whoever runs below it keeps that from going: in any database who writes, for our own snapshot reaches back to all of
# them; in this one who reads, too.
_STILL_KEPT = text(
    "SELECT pg_snapshot_xmin(pg_current_snapshot()) < bound OR EXISTS (SELECT 1 FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND age(backend_xmin) > age(CAST(bound AS xid)))"
    " FROM CAST(CAST(:bound AS text) AS xid8) AS bound"
)


class Forgetting:
    """Forgets in SQLite's files. Whoever calls holds off every other writer of this process."""

    def __init__(self) -> None:
        self._rest_until = 0.0
        self._rewriting: Any = None

    async def forget(self, driver: Any, *, briefly: bool) -> bool:
        """Write the file anew where somebody was deleted, and empty the write-ahead log; say whether that was done.

        A reader that is busy just then delays it to the next call, and so does a large file that was written anew
        a moment ago. `briefly`, for the moment of stopping, leaves a large file to the next start.
        """
        await driver.execute(f"PRAGMA busy_timeout={_WAIT_SECONDS * 1000}")
        try:
            clean = await self._write_anew(driver, briefly=briefly)
            return await _ask(driver, "wal_checkpoint(TRUNCATE)") == 0 and clean
        finally:
            await driver.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")

    async def break_off(self) -> None:
        """Break off what is writing the file anew: whoever stops can't wait for a large one."""
        if self._rewriting is not None:
            await self._rewriting.interrupt()

    async def _write_anew(self, driver: Any, *, briefly: bool) -> bool:
        marked = await _ask(driver, "user_version")
        if not marked:
            return True
        size = await _ask(driver, "page_count") * await _ask(driver, "page_size")
        ticking = asyncio.get_running_loop().time
        began = ticking()
        if size > _LARGE if briefly else began < self._rest_until:
            return False
        await driver.execute(f"PRAGMA temp_store={'FILE' if size > _LARGE else 'MEMORY'}")
        self._rewriting = driver
        try:
            await driver.execute("VACUUM")
            self._rest_until = ticking() + _REST * (ticking() - began)
            return await _take_back(driver, marked)
        except OperationalError:
            return False  # Another process writes just now, or `break_off` did.
        finally:
            self._rewriting = None
            await driver.execute("PRAGMA temp_store=MEMORY")


async def _take_back(driver: Any, marked: int) -> bool:
    """Take the mark back, unless another process has deleted somebody since; say whether it was."""
    await driver.execute("BEGIN IMMEDIATE")
    if unchanged := await _ask(driver, "user_version") == marked:
        await driver.execute("PRAGMA user_version=0")
    await driver.execute("COMMIT")
    return unchanged


async def _ask(driver: Any, pragma: str) -> int:
    cursor = await driver.execute(f"PRAGMA {pragma}")
    row = await cursor.fetchone()
    await cursor.close()
    return int(row[0])


async def rewrite(engine: AsyncEngine, table: Table) -> bool:
    """On PostgreSQL, write a table anew, without what was deleted from it; say whether that was done.

    Nobody waits for us longer than a second where the table is in use, or where a transaction goes on that may still
    see what was deleted: then it is left to the next time.
    """
    async with engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        if not await _can_go(plain):
            return False
        await plain.execute(text(f"SET lock_timeout = '{_WAIT_SECONDS}s'"))
        try:
            await plain.execute(text(f"VACUUM (FULL) {plain.dialect.identifier_preparer.format_table(table)}"))
        except DBAPIError:
            return False
        finally:
            await plain.execute(text("RESET lock_timeout"))
    return True


async def _can_go(connection: AsyncConnection) -> bool:
    """Wait until nothing that goes on keeps from going what was deleted by now; say whether that came in time."""
    bound = (await connection.execute(_BOUND)).scalar_one()
    waited = 0.0
    while (await connection.execute(_STILL_KEPT, {"bound": bound})).scalar_one():
        if waited >= _WAIT_SECONDS:
            return False
        await asyncio.sleep(_LOOK_SECONDS)
        waited += _LOOK_SECONDS
    return True
