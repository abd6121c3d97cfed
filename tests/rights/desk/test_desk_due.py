"""When a rights request is due, and when the editors are reminded of it (RULES B1)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.rights.desk.rules import due, reminder, standing

DUE = date(2026, 12, 22)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (date(2026, 11, 22), date(2026, 12, 22)),  # both are the same day
        (date(2026, 12, 22), date(2027, 1, 21)),  # a month of 31 days: thirty days come first
        (date(2026, 1, 30), date(2026, 2, 28)),  # no such day in February
        (date(2028, 1, 30), date(2028, 2, 29)),  # a leap year
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2027, 2, 1), date(2027, 3, 1)),  # a month of 28 days comes first
        (date(2028, 2, 1), date(2028, 3, 1)),
        (date(2026, 12, 31), date(2027, 1, 30)),  # over the end of the year
    ],
)
def test_a_request_is_due_after_thirty_days_or_a_month_whichever_is_first(received: date, expected: date) -> None:
    assert due(received) == expected


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2999, 1, 1)))
def test_nobody_ever_waits_longer_than_thirty_days(received: date) -> None:
    assert timedelta(days=28) <= due(received) - received <= timedelta(days=30)


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 12, 7), None),
        (date(2026, 12, 8), date(2026, 12, 8)),  # 14 days before
        (date(2026, 12, 14), date(2026, 12, 8)),
        (date(2026, 12, 15), date(2026, 12, 15)),  # 7
        (date(2026, 12, 21), date(2026, 12, 21)),  # 1
        (date(2026, 12, 22), date(2026, 12, 21)),  # the day itself
        (date(2026, 12, 23), date(2026, 12, 23)),  # overdue: every day
        (date(2027, 1, 30), date(2027, 1, 30)),
    ],
)
def test_the_latest_reminder_by_a_day(today: date, expected: date | None) -> None:
    assert reminder(DUE, today) == expected


def test_what_is_overdue_is_called_so() -> None:
    assert (standing(DUE, DUE).state, standing(DUE, DUE).days_left) == ("soon", 0)
    assert (standing(DUE, date(2026, 12, 23)).state, standing(DUE, date(2026, 12, 23)).days_left) == ("overdue", -1)
    assert standing(DUE, date(2026, 12, 1)).state == "open"
