"""When an agreement is to be renewed, when its reader is reminded, and when an answer is too late. Pure (RULES A9).

Months are those of the calendar: a year after 29 February is 28 February. Nobody's agreement ends without two letters
before it, at least 30 and 7 days ahead, however late the editor chose this or the letters came to leave.
"""

from calendar import monthrange
from datetime import datetime, timedelta
from enum import Enum

FIRST_BEFORE = timedelta(days=30)
SECOND_BEFORE = timedelta(days=7)
# So that nobody is reminded and asked in one month.
_NO_REMINDER_BEFORE = timedelta(days=31)


class Step(Enum):
    """What an agreement is to come to next."""

    NOTHING = "nothing"
    FIRST = "first"
    SECOND = "second"
    END = "end"


def add_months(moment: datetime, months: int) -> datetime:
    """Give the moment that many months later, or earlier; where that month is too short, on its last day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def holds_until(agreed_at: datetime, months: int, first: datetime | None, second: datetime | None) -> datetime:
    """Give when an agreement ends that is not renewed, given when the two letters were sent."""
    until = add_months(agreed_at, months)
    if first is not None:
        until = max(until, first + FIRST_BEFORE)
    return until if second is None else max(until, second + SECOND_BEFORE)


def renewal_step(
    agreed_at: datetime, months: int, first: datetime | None, second: datetime | None, now: datetime
) -> Step:
    """Give what is to be done about an agreement, given when the two letters were sent; None where one was not yet."""
    until = holds_until(agreed_at, months, first, second)
    if first is None:
        return Step.FIRST if now >= until - FIRST_BEFORE else Step.NOTHING
    if second is None:
        return Step.SECOND if now >= until - SECOND_BEFORE else Step.NOTHING
    return Step.END if now >= until else Step.NOTHING


def is_reminder_due(
    heard_at: datetime, agreed_at: datetime, reminder_months: int, renewal_months: int, now: datetime
) -> bool:
    """Say whether a reader is to be reminded, who last agreed, renewed or was reminded at `heard_at`.

    Not in the month before a renewal, whose letters are reminder enough.
    """
    if not reminder_months or now < add_months(heard_at, reminder_months):
        return False
    return not renewal_months or now < add_months(agreed_at, renewal_months) - _NO_REMINDER_BEFORE


def answer_until(sent_at: datetime, days: int) -> datetime:
    """Give until when a letter may be answered."""
    return sent_at + timedelta(days=days)
