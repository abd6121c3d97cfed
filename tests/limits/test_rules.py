"""What the limits allow, at every moment: also where the clock is turned back."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.limits.rules import HOUR, WEEK, Rate, another, past, turn

NOW = 1_793_600_000.0


def let_in(rate: Rate, moments: list[float]) -> list[float]:
    """Give the moments at which somebody was let in, of those at which one came."""
    until, came = 0.0, []
    for at in moments:
        if rate.opens(until, at) <= at:
            until = rate.since(until, at) + rate.step
            came.append(at)
    return came


def test_a_bucket_lets_in_so_many_at_once_and_then_one_per_step() -> None:
    rate = Rate(30)
    assert len(let_in(rate, [NOW] * 100)) == 30
    assert len(let_in(rate, [NOW] * 100 + [NOW + 119] * 9)) == 30
    assert len(let_in(rate, [NOW] * 100 + [NOW + 120] * 9)) == 31
    assert len(let_in(rate, [NOW] * 100 + [NOW + HOUR] * 100)) == 60


def test_it_says_from_when_on_another_one_may_come() -> None:
    rate = Rate(30)
    assert rate.opens(NOW + HOUR, NOW) == NOW + 120
    assert rate.opens(NOW + HOUR - 120, NOW) == NOW


def test_nothing_is_limited_by_none() -> None:
    assert len(let_in(Rate(0), [NOW] * 1000)) == 1000
    assert another([NOW] * 50, NOW, 0, 0)


@given(st.lists(st.floats(0, 3 * HOUR), max_size=60), st.integers(1, 10))
def test_never_more_than_twice_as_many_in_an_hour_and_never_more_than_so_many_at_once(
    after: list[float], most: int
) -> None:
    came = let_in(Rate(most), [NOW + each for each in sorted(after)])
    for at in came:
        assert sum(at <= each < at + HOUR for each in came) < 2 * most + 1
        assert came.count(at) <= most


@given(st.floats(0, HOUR), st.integers(1, 60))
def test_a_clock_that_is_turned_back_opens_nothing_and_closes_nothing_for_good(back: float, most: int) -> None:
    rate = Rate(most)
    full = NOW + HOUR
    assert rate.opens(full, NOW - back) > NOW - back
    assert rate.opens(full + 1000 * HOUR, NOW) == NOW + rate.step


def test_one_letter_an_hour_and_three_in_any_seven_days() -> None:
    times: list[float] = []
    hours = [0.0, 0.5, 0.99, 1, 1.5, 2, 3, 100, 167.9, 168, 168.5, 169, 170, 171]
    for hour in hours:
        if another(times, NOW + hour * HOUR, 1, 3):
            times.append(NOW + hour * HOUR)
    assert [(at - NOW) / HOUR for at in times] == [0, 1, 2, 168, 169, 170]


@given(st.lists(st.floats(0, 3 * WEEK), max_size=40), st.floats(0, WEEK))
def test_no_week_has_more_whatever_the_clock_does(after: list[float], back: float) -> None:
    times: list[float] = []
    for at in sorted(NOW + each for each in after):
        if another(times, at, 1, 3):
            times.append(at)
    for at in times:
        assert sum(at <= each < at + WEEK for each in times) <= 3
    if times:
        assert not another(times, times[-1] - back, 1, 3)


def test_what_lies_ahead_counts_as_now() -> None:
    assert past([NOW - WEEK, NOW - 1, NOW + 5], NOW) == [NOW - 1, NOW]


def test_those_that_wait_leave_in_the_order_in_which_they_came() -> None:
    rate, full = Rate(60), NOW + HOUR
    first = turn(rate, full, 0.0, NOW, waited=False)
    second = turn(rate, full, first.tail, NOW, waited=False)
    assert (first.at, second.at) == (NOW + 60, NOW + 120)
    # There is room again, but those two stand there.
    third = turn(rate, full, second.tail, NOW + 60, waited=False)
    assert third.at == NOW + 180
    assert turn(rate, full, third.tail, NOW + 60, waited=True).at == NOW + 60


def test_where_nobody_waits_and_there_is_room_it_is_ones_turn_at_once() -> None:
    assert turn(Rate(60), NOW + HOUR - 60, NOW - 1, NOW, waited=False).at == NOW
    assert turn(Rate(0), NOW + HOUR, NOW + 5, NOW, waited=False).at == NOW
