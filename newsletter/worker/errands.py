"""Long work of a worker: mailings and imports, a few at a time, each by one at a time.

What is left of it stands in the database. So an errand that is cut off, with its process or without, is nothing to
remember: whoever looks next begins it again.
"""

import asyncio
from collections.abc import Awaitable, Callable

from newsletter.logs import get_logger, where

_MOST = 4
_log = get_logger(__name__)


class Errands:
    """What a worker is at."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(_MOST)

    def begin(self, kind: str, subject: str, work: Callable[[str], Awaitable[None]]) -> None:
        """Let `work` be done for a subject, unless that is under way or waits for its turn."""
        key = (kind, subject)
        if key not in self._under_way:
            self._under_way[key] = task = asyncio.create_task(self._run(kind, subject, work))
            task.add_done_callback(lambda _: self._under_way.pop(key))

    async def end(self, seconds: float) -> None:
        """Wait for so long until all are done, then cut off the others."""
        if waiting := tuple(self._under_way.values()):
            _, undone = await asyncio.wait(waiting, timeout=seconds)
            for task in undone:
                task.cancel()
            await asyncio.gather(*undone, return_exceptions=True)

    async def _run(self, kind: str, subject: str, work: Callable[[str], Awaitable[None]]) -> None:
        async with self._places:
            try:
                await work(subject)
            except Exception as error:
                _log.error("errand_failed", errand=kind, kind=type(error).__name__, where=where(error))
