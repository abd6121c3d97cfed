"""What a rule of retention is: what is kept for a time, why it is kept and how long.

A rule knows how to count what is over, which is the dry run, and how to purge it. It purges within one transaction that
it is handed, and never commits.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.settings import Settings

Counting = Callable[[Session, Installation], Awaitable[int]]
MONTH = timedelta(days=30)
TEN_MINUTES = timedelta(minutes=10)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `name` is what `personal(purged_by=...)` names; `every` is how often it runs.

    `period` gives how long it is kept from when its time begins, `due` how many are over now, and `purge` deletes them
    and gives how many that were.
    """

    name: str
    what: str
    why: str
    period: Callable[[Settings], timedelta]
    due: Counting
    purge: Counting
    every: timedelta = TEN_MINUTES
