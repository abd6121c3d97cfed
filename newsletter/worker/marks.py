"""Work that is done every ten minutes, at the marks of the clock, by one of all workers."""

from collections.abc import Awaitable, Callable

from newsletter.clock import Clock

_SECONDS = 600


class Marks:
    """Does `work` once behind each mark, where `is_mine` says so: where whose it was has died, another one does it."""

    def __init__(
        self, clock: Clock, is_mine: Callable[[], Awaitable[bool]], work: Callable[[], Awaitable[None]]
    ) -> None:
        self._clock = clock
        self._is_mine = is_mine
        self._work = work
        self._done = self._mark()

    async def work(self) -> None:
        """Do the work if a mark has passed since it was done."""
        mark = self._mark()
        if mark != self._done and await self._is_mine():
            self._done = mark
            await self._work()

    def _mark(self) -> int:
        return int(self._clock.now().timestamp()) // _SECONDS
