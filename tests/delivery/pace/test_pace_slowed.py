"""A domain that asks for it is slowed down, it alone, and recovers by itself; greylisting is no reason to speak of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.pace.slowing import (
    GOOD_SECONDS,
    SAME_TROUBLE_SECONDS,
    Slowness,
    Tally,
    Trouble,
    tally,
    troubles,
)
from newsletter.mail.outcome import Outcome, OutcomeKind, Stage

NOON = 1_793_880_000.0
TAKEN = Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)
LATER = Outcome(OutcomeKind.DEFERRED, Stage.RCPT, 452, "4.5.3")
CLOSING = Outcome(OutcomeKind.DEFERRED, Stage.RCPT, 421, "4.7.0")
CUT_OFF = Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.RCPT, 421)
GREYLISTED = Outcome(OutcomeKind.DEFERRED, Stage.RCPT, 450, "4.7.1")
GONE = Outcome(OutcomeKind.REFUSED, Stage.RCPT, 550, "5.1.1")
NO_RELAY = Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT, 421)
OTHERS = {"example.org": [TAKEN] * 20, "example.net": [TAKEN] * 20}


def found(outcomes: dict[str, list[Outcome]], **seconds: float) -> dict[str, Trouble]:
    """Give the troubles of a window; `seconds` is how long a reply took, by the first word of the domain."""
    answers = [
        (domain, outcome, seconds.get(domain.partition(".")[0], 0.1))
        for domain, several in outcomes.items()
        for outcome in several
    ]
    return troubles(tally(answers))


@pytest.mark.parametrize(
    ("outcomes", "trouble"),
    [
        ([TAKEN] * 10, None),
        ([TAKEN] * 10 + [GONE] * 30, None),
        ([TAKEN] * 10 + [CLOSING], Trouble.CLOSING),
        ([CUT_OFF], Trouble.CLOSING),
        ([TAKEN] * 5 + [LATER] * 5, Trouble.BURST),
        ([TAKEN] * 6 + [LATER] * 5, None),
        ([LATER] * 4, None),
        ([GREYLISTED] * 30, Trouble.GREYLISTING),
        ([GREYLISTED] * 4, None),
        ([TAKEN] * 5 + [LATER] * 4 + [GREYLISTED] * 2, Trouble.GREYLISTING),
        ([NO_RELAY] * 10, None),
    ],
)
def test_what_asks_to_slow_down(outcomes: list[Outcome], trouble: Trouble | None) -> None:
    assert found(OTHERS | {"gmail.com": outcomes}) == ({"gmail.com": trouble} if trouble else {})


def test_replies_much_slower_than_the_others_slow_a_domain_down() -> None:
    window = OTHERS | {"gmail.com": [TAKEN] * 5}
    assert found(window, gmail=3.0) == {"gmail.com": Trouble.SLOW}
    assert found(window, gmail=1.9) == {}
    assert found(window, gmail=3.0, example=1.0) == {}
    assert found({"gmail.com": [TAKEN] * 5}, gmail=30.0) == {}, "there is nobody to compare it with"


def test_what_most_domains_do_at_once_is_the_relay_s_doing() -> None:
    assert found({"gmail.com": [CLOSING], "outlook.com": [CLOSING], "example.org": [CLOSING]}) == {}
    several = {"gmail.com": [CLOSING], "outlook.com": [CLOSING], "yahoo.com": [CLOSING]}
    assert set(found(several | OTHERS | {"example.com": [TAKEN]})) == set(several)


def test_each_trouble_halves_the_rate_but_what_is_on_its_way_is_the_same_trouble() -> None:
    slowness = Slowness().after(Trouble.CLOSING, NOON, 80.0)
    assert [slowness.rate(0, NOON), slowness.rate(20, NOON), slowness.rate(200, NOON)] == [40, 10, 40]
    assert slowness.after(Trouble.BURST, NOON + 1) == slowness
    later = slowness.after(Trouble.BURST, NOON + SAME_TROUBLE_SECONDS, 35.0)
    assert later.rate(0, NOON + SAME_TROUBLE_SECONDS) == 20


def test_it_recovers_a_level_after_some_good_minutes() -> None:
    slowness = Slowness(3, NOON, Trouble.BURST, 80.0)
    levels = [slowness.level_at(NOON + minutes * GOOD_SECONDS) for minutes in (0, 0.99, 1, 2, 2.99, 3, 100)]
    assert levels == [3, 3, 2, 1, 1, 0, 0]
    assert slowness.rate(0, NOON + 3 * GOOD_SECONDS) == 0


def test_greylisting_never_holds_a_domain_for_long() -> None:
    slowness, now = Slowness(), NOON
    for _ in range(1000):
        now += 1
        slowness = slowness.after(Trouble.GREYLISTING, now, 80.0)
        assert slowness.level_at(now) <= 1
    assert slowness.level_at(NOON + 1 + GOOD_SECONDS + 1000) == 0
    held = Slowness(3, NOON, Trouble.BURST, 80.0)
    for step in range(1, 30):
        held = held.after(Trouble.GREYLISTING, NOON + 30 * step, 80.0)
    assert held.level_at(NOON + 899) == 1, "it neither deepens nor prolongs what is there"


@given(
    events=st.lists(st.tuples(st.floats(0, 1000), st.sampled_from(list(Trouble)), st.floats(0, 5000)), max_size=80),
    configured=st.just(0.0) | st.floats(0.05, 500),
)
def test_whatever_happens_something_goes_on_leaving_and_within_an_hour_all_is_well(
    events: list[tuple[float, Trouble, float]], configured: float
) -> None:
    slowness, now = Slowness(), NOON
    for seconds, trouble, rate in events:
        now += seconds
        slowness = slowness.after(trouble, now, rate)
        allowed = slowness.rate(configured, now)
        assert slowness.level_at(now) > 0
        assert allowed >= min(1 / 30, configured or 1)
        assert not configured or allowed <= configured
    assert slowness.level_at(now + 3600) == 0


def test_a_tally_counts_only_what_the_domain_itself_said() -> None:
    counted = tally([("a.example", each, 0.5) for each in (TAKEN, LATER, CLOSING, CUT_OFF, GONE, NO_RELAY, GREYLISTED)])
    assert counted == {"a.example": Tally(1, 4, 2, 0.5, 1, 1)}
