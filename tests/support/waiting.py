"""Waiting for what happens elsewhere: ask again and again, never sleep and hope."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_PAUSE = 0.02
# Where it happens nobody waits so long: this is for a machine that has much else to do.
_LONGEST = 120.0


def eventually(probe: Callable[[], T], timeout: float = _LONGEST, what: str = "") -> T:
    """Give the first true answer of `probe`; AssertionError after `timeout` seconds without one.

    An AssertionError within `probe` counts as "not yet", and is shown when the time is up.
    """
    waited = _Wait(timeout, what or getattr(probe, "__name__", "it"))
    while True:
        try:
            if answer := probe():
                return answer
            waited.heard(answer)
        except AssertionError as error:
            waited.heard(error)
        time.sleep(_PAUSE)


async def eventually_async(probe: Callable[[], Awaitable[T]], timeout: float = _LONGEST, what: str = "") -> T:  # noqa: ASYNC109 (it says what it waited for)
    """Do the same as `eventually` with a probe that is awaited, without blocking the event loop."""
    waited = _Wait(timeout, what or getattr(probe, "__name__", "it"))
    while True:
        try:
            if answer := await probe():
                return answer
            waited.heard(answer)
        except AssertionError as error:
            waited.heard(error)
        await asyncio.sleep(_PAUSE)


class _Wait:
    def __init__(self, seconds: float, what: str) -> None:
        self._seconds = seconds
        self._what = what
        self._deadline = time.monotonic() + seconds

    def heard(self, answer: object) -> None:
        if time.monotonic() > self._deadline:
            raise AssertionError(
                f"{self._what} did not happen within {self._seconds:g} s; the last answer was {answer!r}"
            )
