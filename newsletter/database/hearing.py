"""Hearing the bells of other processes: PostgreSQL's LISTEN, or SQLite's `data_version`."""

import asyncio
import sqlite3
from contextlib import suppress
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from newsletter.database.bell import CHANNEL, Bell

# Asking SQLite takes some microseconds: it looks at a counter that is shared in memory.
_LOOK_SECONDS = 0.25
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 15.0
# Behind a dead line nobody hears anything; asking finds out.
_PROOF_SECONDS = 20.0


async def hear(engine: AsyncEngine, bell: Bell) -> None:
    """Ring `bell` for what other processes commit, for ever: the task is to be cancelled."""
    if engine.dialect.name == "sqlite":
        await _watch(str(engine.url.database), bell)
    else:
        await _listen(engine, bell)


async def _watch(path: str, bell: Bell) -> None:
    """Look again and again whether SQLite's file has changed. Its own process's commits are among the changes."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        seen = None
        while True:
            # Something else may hold it for a moment, as whoever writes it anew.
            with suppress(sqlite3.Error):
                (version,) = connection.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    bell.ring_here()
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        connection.close()


async def _listen(engine: AsyncEngine, bell: Bell) -> None:
    """Listen on a connection of its own; where it is lost, on another one, asking less and less often."""
    wait = _FIRST_WAIT
    while True:
        # It is for being early: where the database is away, those who wait are told so by their own work.
        with suppress(Exception):
            async with engine.connect() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                assert driver is not None
                try:
                    await _hear_out(driver, bell)
                    wait = _FIRST_WAIT
                finally:
                    # It goes without a word, for the server may not answer; and back to nobody, for it listens.
                    driver.terminate()
                    await connection.invalidate()
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


async def _hear_out(driver: Any, bell: Bell) -> None:
    """Hear until the connection is lost. What was committed before is rung for, too."""

    def heard(_connection: Any, _pid: int, _channel: str, ringer: str) -> None:
        if ringer != bell.name:
            bell.ring_here()

    lost = asyncio.Event()
    driver.add_termination_listener(lambda _: lost.set())
    await driver.add_listener(CHANNEL, heard)
    bell.ring_here()
    while not lost.is_set():
        try:
            await asyncio.wait_for(lost.wait(), _PROOF_SECONDS)
        except TimeoutError:
            await driver.execute("SELECT 1", timeout=_PROOF_SECONDS)
