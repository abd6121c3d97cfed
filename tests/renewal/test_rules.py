"""When an agreement is to be renewed, over years and odd months (RULES A9)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.renewal.rules import Step, add_months, holds_until, is_reminder_due, renewal_step

AGREED = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_months_are_those_of_the_calendar() -> None:
    assert add_months(AGREED, 12) == datetime(2025, 2, 28, 12, 0, tzinfo=UTC)
    assert add_months(AGREED, 48) == datetime(2028, 2, 29, 12, 0, tzinfo=UTC)
    assert add_months(datetime(2026, 8, 31, tzinfo=UTC), 6) == datetime(2027, 2, 28, tzinfo=UTC)
    assert add_months(datetime(2026, 1, 31, tzinfo=UTC), -2) == datetime(2025, 11, 30, tzinfo=UTC)


@given(st.integers(0, 40_000), st.integers(1, 120))
def test_months_ahead_are_never_further_than_their_days(days: int, months: int) -> None:
    moment = AGREED + days * DAY
    assert timedelta(days=28 * months) <= add_months(moment, months) - moment <= timedelta(days=31 * months)


def test_two_letters_go_ahead_of_the_end() -> None:
    until = add_months(AGREED, 12)
    first, second = until - 30 * DAY, until - 7 * DAY
    for now, had_first, had_second, step in (
        (first - DAY, None, None, Step.NOTHING),
        (first, None, None, Step.FIRST),
        (second - DAY, first, None, Step.NOTHING),
        (second, first, None, Step.SECOND),
        (until - DAY, first, second, Step.NOTHING),
        (until, first, second, Step.END),
    ):
        assert renewal_step(AGREED, 12, had_first, had_second, now) is step, now


@given(st.integers(0, 4000), st.integers(0, 40), st.integers(0, 40), st.integers(1, 60))
def test_nobody_s_agreement_ends_without_time_to_answer_both(late: int, wait: int, more: int, months: int) -> None:
    """However late the editor chose it, or the letters left."""
    first = add_months(AGREED, months) - 30 * DAY + late * DAY
    second = first + wait * DAY
    now = second + more * DAY
    if renewal_step(AGREED, months, first, second, now) is Step.END:
        assert now - first >= 30 * DAY
        assert now - second >= 7 * DAY
        assert now >= add_months(AGREED, months)
    assert renewal_step(AGREED, months, None, None, now) in (Step.NOTHING, Step.FIRST)
    assert holds_until(AGREED, months, first, second) >= holds_until(AGREED, months, first, None)


@pytest.mark.parametrize(("months_on", "due"), [(5, False), (6, True), (10, True), (11.5, False)])
def test_a_reminder_comes_in_its_month_and_not_in_that_before_a_renewal(months_on: float, due: bool) -> None:
    now = add_months(AGREED, int(months_on)) + timedelta(days=30 * (months_on % 1))
    assert is_reminder_due(AGREED, AGREED, 6, 12, now) is due


def test_without_months_nobody_is_reminded() -> None:
    assert not is_reminder_due(AGREED, AGREED, 0, 0, add_months(AGREED, 100))
    assert is_reminder_due(AGREED, AGREED, 6, 0, add_months(AGREED, 100))
