"""How often something may be tried, without counting tries: what is stored is when all of them are there again.

Each try puts that time off by `every`. It is refused where it would then be further off than `at_once` tries take to
come back. So never more than `at_once` and one for each `every` are tried, in whichever hour. A clock that is turned
back finds the time further off, and refuses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many tries at once, and one more after each `every`."""

    at_once: int
    every: timedelta

    def after_one_more(self, clear_at: datetime | None, now: datetime) -> datetime:
        """Give when all tries are there again, once one more is taken."""
        return max(clear_at or now, now) + self.every

    def wait(self, clear_at: datetime | None, now: datetime) -> timedelta:
        """Give how long it is until one more may be taken; nothing where that is now."""
        over = self.after_one_more(clear_at, now) - (now + self.at_once * self.every)
        return max(over, timedelta(0))


# 20 an hour from networks that an account was never used from, and 10 from one that it was: 30 for an account.
STRANGERS = Allowance(8, timedelta(minutes=5))
KNOWN = Allowance(5, timedelta(minutes=12))
# Six digits are guessed sooner than a password.
CODES = Allowance(5, timedelta(minutes=20))
LETTERS = Allowance(3, timedelta(minutes=20))
# Failures that the audit trail tells of, for each of whom it names.
NOTED = Allowance(30, timedelta(minutes=2))


def longest(waits: Sequence[timedelta]) -> timedelta:
    """Give the longest of these."""
    return max(waits, default=timedelta(0))
