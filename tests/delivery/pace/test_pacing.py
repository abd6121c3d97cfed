"""No stretch of time sees more mail than its limit, whoever asks; and who waits comes back when it is worth it."""

import heapq
from collections import Counter, deque
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.pace.rules import Places, admitted, by_domain, concurrency
from newsletter.delivery.pace.sharing import SENDER, Sharing
from newsletter.mail.wire.meters import HOUR, LONGEST_QUEUE, Bucket, Meter, bucket, hourly_bucket

NOON = 1_793_880_000.0
rates = st.floats(0.01, 2000)
asking = st.lists(st.tuples(st.floats(0, 20), st.integers(0, 500)), max_size=60)


def granted(own: Bucket, asked: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Give when how many left, where somebody asks for so many after so many seconds."""
    meter, now, left = Meter(), NOON, []
    for seconds, count in asked:
        now += seconds
        given = min(count, meter.left(own, now))
        meter = meter.take(own, given, now)
        left.append((now, given))
    return left


def busiest(left: list[tuple[float, int]], seconds: float) -> int:
    """Give the most that left in any stretch of less than so many seconds."""
    return max((sum(n for at, n in left if 0 <= at - start < seconds) for start, _ in left), default=0)


@given(rate=rates, asked=asking, seconds=st.floats(0.1, 60))
def test_no_stretch_of_time_sees_more_than_its_length_and_one_bucketful(
    rate: float, asked: list[tuple[float, int]], seconds: float
) -> None:
    own = bucket(rate)
    assert busiest(granted(own, asked), seconds) <= own.size + rate * seconds + 0.01


@given(limit=st.integers(1, 5000), gaps=st.lists(st.floats(0, 900), max_size=60))
def test_no_hour_sees_more_than_the_hourly_limit(limit: int, gaps: list[float]) -> None:
    left = granted(hourly_bucket(limit), [(gap, 10_000) for gap in gaps])
    assert busiest(left, HOUR) <= limit


@pytest.mark.parametrize("limit", [1, 7, 60, 600, 5000])
def test_an_hour_of_asking_brings_nearly_all_that_it_may(limit: int) -> None:
    left = granted(hourly_bucket(limit), [(5.0, 10_000)] * 1440)
    assert 0.95 * limit <= busiest(left, HOUR) <= limit


@given(rate=rates, asked=asking)
def test_what_was_granted_and_not_used_may_be_granted_again(rate: float, asked: list[tuple[float, int]]) -> None:
    own, now = bucket(rate), NOON
    meter = Meter()
    for seconds, count in asked:
        now += seconds
        before = meter.left(own, now)
        taken = meter.take(own, min(count, before), now)
        assert abs(taken.put_back(own, min(count, before)).left(own, now) - before) <= 1
        meter = taken


def test_a_bucket_fills_up_while_nobody_takes_and_no_further() -> None:
    own = bucket(20)
    meter = Meter().take(own, 100, NOON)
    assert [meter.left(own, NOON + seconds) for seconds in (0, 1, 4, 5, 500)] == [0, 20, 80, 100, 100]


def visits(own: Bucket, blocks: int, size: int, until: float) -> Iterator[tuple[float, int]]:
    """Give when how many left, where blocks come back at their turns until everything has left."""
    sharing = Sharing({"gmail.com": own}, {"gmail.com": Meter()}, None, NOON)
    due = [(NOON, number, size) for number in range(blocks)]
    while due and due[0][0] < NOON + until:
        at, number, left = heapq.heappop(due)
        sharing.now = at
        given = sharing.share({"gmail.com": left})
        yield at, given["gmail.com"]
        again = sharing.queue({"gmail.com": left}, given)
        if again is not None:
            assert at < again <= at + max(LONGEST_QUEUE, 1 / own.rate) + 0.01
            heapq.heappush(due, (again, number, left - given["gmail.com"]))


@pytest.mark.parametrize("rate", [0.1, 2, 20, 300])
def test_those_who_wait_leave_at_the_whole_rate(rate: float) -> None:
    own = bucket(rate)
    left = list(visits(own, 30, 100, 10 * 3600 * 24))
    took = left[-1][0] - NOON
    assert sum(count for _, count in left) == 3000
    assert 3000 / rate * 0.9 - own.size / rate <= took <= 3000 / rate * 1.25 + 10


def test_a_million_who_wait_don_t_come_every_second() -> None:
    """Ten thousand blocks that wait for one slow domain: a few come at a time, and what there is leaves."""
    came = list(visits(bucket(20), 10_000, 100, 3600))
    assert sum(count for _, count in came) >= 0.95 * 20 * 3600
    again = [at for at, _ in came[10_000:]]
    assert len(again) / 3600 < 12
    assert max(Counter(map(int, again)).values()) < 100


def test_what_is_cut_by_the_sender_s_hour_waits_in_the_sender_s_queue() -> None:
    sharing = Sharing(
        {"gmail.com": bucket(20), SENDER: hourly_bucket(600)}, {"gmail.com": Meter(), SENDER: Meter()}, None, NOON
    )
    wanted = {"gmail.com": 50, "example.com": 50}
    given = sharing.share(wanted)
    assert given == {"gmail.com": 10, "example.com": 0}
    again = sharing.queue(wanted, given)
    assert again is not None
    assert 40 < again - NOON < 60
    assert sharing.meters["gmail.com"].left(bucket(20), NOON) == 90


def test_when_the_day_of_a_warm_up_is_used_up_it_is_the_next_one_s_turn() -> None:
    sharing = Sharing({}, {}, 30, NOON)
    wanted = {"example.com": 20, "example.org": 20}
    given = sharing.share(wanted)
    assert given == {"example.com": 20, "example.org": 10}
    assert sharing.queue(wanted, given) == NOON + 12 * 3600


@given(wanted=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 200)), day=st.none() | st.integers(0, 300))
def test_nobody_gets_more_than_they_asked_for_and_who_got_less_comes_back(
    wanted: dict[str, int], day: int | None
) -> None:
    buckets = {"a": bucket(3), "b": bucket(10), SENDER: hourly_bucket(3600)}
    sharing = Sharing(buckets, {name: Meter() for name in buckets}, day, NOON)
    given = sharing.share(wanted)
    assert all(0 <= given[name] <= count for name, count in wanted.items())
    assert sum(given.values()) <= min(60, 10_000 if day is None else day)
    again = sharing.queue(wanted, given)
    assert (again is None) == (given == wanted)
    assert again is None or again > NOON


@pytest.mark.parametrize(
    ("level", "configured", "workers", "held"),
    [
        (0, 0, 1, 10),
        (1, 0, 1, 5),
        (9, 0, 1, 1),
        (0, 8, 1, 8),
        (0, 8, 3, 2),
        (0, 8, 20, 1),
        (2, 8, 1, 2),
        (0, 50, 2, 10),
    ],
)
def test_a_domain_holds_no_more_connections_than_are_its_share(
    level: int, configured: int, workers: int, held: int
) -> None:
    assert concurrency(level, configured, 10, workers) == held


def test_of_a_window_the_first_of_each_domain_are_admitted() -> None:
    emails = ["a@gmail.com", "b@Gmail.com", "c@example.com", "d@gmail.com", "e@other.example"]
    assert by_domain(emails) == {"gmail.com": 3, "example.com": 1, "other.example": 1}
    assert admitted(emails, {"gmail.com": 2, "example.com": 1}) == [True, True, True, False, False]


def test_a_slow_domain_does_not_hold_all_connections() -> None:
    places = Places()
    places.cap(["slow.example"], {"slow.example": 2})
    waiting = deque(["slow.example"] * 5 + ["example.com"] * 5)
    on_their_way = [places.next(waiting, str) for _ in range(7)]
    assert Counter(on_their_way) == {"slow.example": 2, "example.com": 5}
    assert places.next(waiting, str) is None
    places.leave("slow.example")
    assert places.next(waiting, str) == "slow.example"
    places.cap(["slow.example"], {})
    assert [places.next(waiting, str) for _ in range(3)] == ["slow.example", "slow.example", None]
