"""What a process does by itself: loops that rest until there is something to do.

A loop says in the database's words from when on there will be something for it. All of them are asked together, in one
statement: when the bell has rung, when the earliest of those times has come, and every few seconds all the same, for a
bell may be missed. A loop finds out by itself what there is to do, and is asked again when it has done it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, literal, select

from newsletter.database import database_seconds
from newsletter.installation import Installation
from newsletter.logs import get_logger, where

# What is asked of the database: one value each, a time or a number of `database_seconds`; NULL for nothing.
Due = Select[Any]
# What is due at once, wherever a condition holds.
AT_ONCE = literal(0.0)
# How long a bell that nobody hears may go unnoticed.
SWEEP_SECONDS = 2.0
# Bells that ring together, and the least time between two looks: whoever commits all the time is not looked after more.
_GATHER_SECONDS, _APART_SECONDS = 0.01, 0.1
# They begin one after another, and so do not all want a connection at once.
_STAGGER_SECONDS = 0.05
_TELL_SECONDS = 60.0
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Loop:
    """Work that is done whenever `due` says so, and at least `every` so many seconds where that is given; between its
    end and its next beginning `pace` seconds go by.
    """

    name: str
    work: Callable[[], Awaitable[object]]
    due: Sequence[Due] = ()
    every: float | None = None
    pace: float = 0.3


class Loops:
    """The loops of a process, until `stop` is set. Each begins by itself."""

    def __init__(self, installation: Installation, loops: Sequence[Loop], stop: asyncio.Event) -> None:
        self._installation = installation
        self._stop = stop
        self._loops = loops
        self._wakes = {loop.name: asyncio.Event() for loop in loops}
        self._rung = asyncio.Event()
        self._waits = [(loop.name, due) for loop in loops for due in loop.due]
        columns = [due.scalar_subquery().label(f"due_{number}") for number, (_, due) in enumerate(self._waits)]
        self._question = select(database_seconds(), *columns)
        self._rest = SWEEP_SECONDS
        self._told: dict[str, tuple[str, float]] = {}

    async def run(self) -> None:
        """Run until the stop is set and everything that was begun is done."""
        bell = self._installation.database.bell
        bell.call(self._rung.set)
        hearing = asyncio.create_task(self._installation.database.hear())
        looking = asyncio.create_task(self._look_again_and_again())
        try:
            await asyncio.gather(*(self._keep(loop, number) for number, loop in enumerate(self._loops)))
        finally:
            hearing.cancel()
            looking.cancel()
            await asyncio.gather(hearing, looking, return_exceptions=True)

    async def _keep(self, loop: Loop, number: int) -> None:
        wake = self._wakes[loop.name]
        await happens(self._stop, number * _STAGGER_SECONDS)
        while not self._stop.is_set():
            wake.clear()
            await self._try(loop.name, loop.work)
            if loop.due:
                self._rung.set()
            if not await happens(self._stop, loop.pace):
                await self._woken(wake, loop.every)

    async def _woken(self, wake: asyncio.Event, seconds: float | None) -> None:
        waiting = {asyncio.create_task(event.wait()) for event in (wake, self._stop)}
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()

    async def _look_again_and_again(self) -> None:
        time = asyncio.get_running_loop().time
        while True:
            looked, self._rest = time(), SWEEP_SECONDS
            await self._try("looking", self._look)
            await happens(self._rung, self._rest)
            await asyncio.sleep(max(_GATHER_SECONDS, looked + _APART_SECONDS - time()))
            self._rung.clear()

    async def _look(self) -> None:
        """Wake those who have something to do, and see how long the others may rest."""
        async with self._installation.database.read() as session:
            seconds, *found = (await session.execute(self._question)).one()
        now = self._installation.clock.now()
        for (name, _), at in zip(self._waits, found, strict=True):
            if at is None:
                continue
            wait = (at - now).total_seconds() if isinstance(at, datetime) else at - seconds
            if wait <= 0:
                self._wakes[name].set()
            else:
                self._rest = min(self._rest, wait)

    async def _try(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do `work`. An error is logged by its kind; one that comes again and again, once a minute."""
        try:
            await work()
        except Exception as error:
            kind, at, now = type(error).__name__, where(error), self._installation.clock.monotonic()
            told, when = self._told.get(name, ("", 0.0))
            if told != f"{kind} {at}" or now - when >= _TELL_SECONDS:
                self._told[name] = f"{kind} {at}", now
                _log.error("loop_failed", loop=name, kind=kind, where=at)
        else:
            if self._told.pop(name, None):
                _log.info("loop_works_again", loop=name)


async def every(seconds: float, name: str, work: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Run `work` again and again, `seconds` apart, until `stop` is set. An error is logged by its kind, and tried
    again.
    """
    while not stop.is_set():
        try:
            await work()
        except Exception as error:
            _log.error("loop_failed", loop=name, kind=type(error).__name__, where=where(error))
        await happens(stop, seconds)


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event so long; say whether it has happened."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
