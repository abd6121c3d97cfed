"""The clock of a rights request, and what may be done about it: pure (RULES B1).

A request is due thirty days or one calendar month after it was received, whichever comes first, and nothing puts that
off by itself. The editors are reminded 14, 7 and 1 days before, and each day once it is overdue.
"""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from newsletter.errors import Conflict
from newsletter.rights.desk.tables import RightsRequest, StepKind

DAYS = timedelta(days=30)
REMINDERS = (14, 7, 1)
# How a decided right is called when it is done; the rest is done by showing and answering.
_CHANGES = (StepKind.CORRECTED, StepKind.RESTRICTED, StepKind.UNRESTRICTED, StepKind.OBJECTED, StepKind.ERASED)
NOT_IDENTIFIED = (
    "Nobody knows yet whether the person who asks is the one the data is about. "
    "Write down on the request how that was made sure of, then do this again."
)
CLOSED = "This request is closed; what is done now belongs to another one."


@dataclass(frozen=True, slots=True)
class Standing:
    """How a request stands on a day: days left (negative once overdue), and how urgent that is."""

    days_left: int
    state: str


def due(received: date) -> date:
    """Give the day by which a request received on that day must be answered."""
    return min(received + DAYS, month_later(received))


def month_later(day: date) -> date:
    """Give the same day of the next month, or that month's last day where it is shorter."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def standing(due_on: date, today: date) -> Standing:
    """Give how a request that is due then stands today: open, soon (within a week) or overdue."""
    left = (due_on - today).days
    return Standing(left, "overdue" if left < 0 else "soon" if left <= 7 else "open")


def reminder(due_on: date, today: date) -> date | None:
    """Give the day of the latest reminder that a request due then should have had by today; None before the first."""
    if today > due_on:
        return today
    passed = [day for before in REMINDERS if (day := due_on - timedelta(days=before)) <= today]
    return max(passed, default=None)


def may_take(request: RightsRequest, step: StepKind) -> None:
    """Raise Conflict where the step may not be taken for the request: closed, or of somebody not identified.

    Showing, exporting and changing data all need to know who asks (GDPR art. 12(6)).
    """
    if request.closed_on is not None:
        raise Conflict(CLOSED)
    if step in (*_CHANGES, StepKind.EXPORTED) and request.identified_at is None:
        raise Conflict(NOT_IDENTIFIED)
