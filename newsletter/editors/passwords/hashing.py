"""Argon2id, which takes its time and 64 MB: in two threads of its own, with a short line in front of them.

Whoever finds the line full is told to come back. Half of it is for networks that have signed in before, so that a flood
of strangers neither fills the memory nor keeps the editors out.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import Any, TypeVar

from pwdlib import PasswordHash

from newsletter.editors.passwords.rules import LONGEST
from newsletter.errors import NewsletterError

T = TypeVar("T")
THREADS = 2
LINE, LINE_OF_STRANGERS = 16, 8


class Busy(NewsletterError):
    """More passwords wait to be looked at than can be soon."""

    status = 429
    title = "Too much at once"


class Line:
    """The line in front of the threads, of one process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._lock = Lock()
        self._waiting = 0

    async def wait_for(self, work: Callable[[], T], longest: int) -> T:
        """Let a thread do `work`, and give what it gives. Raises Busy where `longest` wait already."""
        with self._lock:
            if self._waiting >= longest:
                raise Busy("Too many people are signing in just now. Please try again in a minute.")
            self._waiting += 1
        errand = self._threads.submit(work)
        errand.add_done_callback(self._leave)
        return await asyncio.wrap_future(errand)

    def _leave(self, _: Future[Any]) -> None:
        with self._lock:
            self._waiting -= 1


@cache
def _line() -> Line:
    return Line()


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobody() -> str:
    return _hasher().hash("nobody's password")


async def hashed(password: str) -> str:
    """Give the Argon2id hash of a password. Raises Busy."""
    return await _line().wait_for(lambda: _hasher().hash(password), LINE)


async def matches(known: str | None, password: str, *, stranger: bool = False) -> bool:
    """Say whether a password is that of a hash. It takes as long where there is none. Raises Busy."""
    longest = LINE_OF_STRANGERS if stranger else LINE
    return await _line().wait_for(lambda: _verify(known or None, password[:LONGEST]), longest)


def _verify(known: str | None, password: str) -> bool:
    # Made whether it is needed or not: else the first unknown address of a process would take twice as long.
    nobody = _nobody()
    return _hasher().verify(password, known or nobody) and known is not None
