"""Whether the service is running: who serves or works holds a lock in the data folder, which a restore wants alone."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from newsletter.errors import Conflict, MisconfiguredError
from newsletter.settings import Settings, make_folder

_LOCK = "service.lock"


@contextmanager
def present(settings: Settings) -> Iterator[None]:
    """Be there as long as the block lasts. Raises MisconfiguredError while a restore is under way."""
    with _locked(settings, fcntl.LOCK_SH) as held:
        if not held:
            raise MisconfiguredError("A backup is being restored just now; start again when that is done.")
        yield


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Be alone as long as the block lasts. Raises Conflict where the service is running."""
    with _locked(settings, fcntl.LOCK_EX) as held:
        if not held:
            raise Conflict("The service is running; stop it everywhere first, then restore.")
        yield


@contextmanager
def _locked(settings: Settings, how: int) -> Iterator[bool]:
    make_folder(settings.data_dir)
    with (settings.data_dir / _LOCK).open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
