"""The only reader of time. Everything else is handed a `Clock`, so that tests can turn it.

Leases alone don't use it: they are kept by the database's own clock (see `database.database_seconds`),
because the machines that share a ledger need not agree on the time.
"""

import time
from datetime import UTC, datetime
from typing import Protocol

# Where the system has it: the one that goes on while the machine sleeps.
_EVER_GROWING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """What the program may ask about time."""

    def now(self) -> datetime:
        """Give the wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Give seconds that only ever grow, also while the process is stopped or the machine sleeps."""


def day_of(moment: datetime) -> datetime:
    """Give the day of a moment, as its midnight in UTC: all that may be kept where the hour would tell too much."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Give the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give seconds that only ever grow, also while the process is stopped or the machine sleeps."""
        return time.clock_gettime(_EVER_GROWING)


class TurnedClock:
    """A clock for tests: it stands still until it is turned."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._elapsed = 0.0

    def now(self) -> datetime:
        """Give the time it was turned to."""
        return self._now

    def monotonic(self) -> float:
        """Give the seconds it was turned by."""
        return self._elapsed

    def turn(self, to: datetime) -> None:
        """Set the clock; `to` is aware."""
        self._elapsed += (to - self._now).total_seconds()
        self._now = to
