"""The life of a mailing is a table; what follows from an outcome is reckoned without a clock or a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.rules import GIVE_UP_SECONDS, MOVES, move, relay_failed, relay_wait, retry_at
from newsletter.delivery.tables import MailingState
from newsletter.errors import Conflict
from newsletter.mail.smtp import Outcome, OutcomeKind, Stage

LATER = Outcome(OutcomeKind.DEFERRED, Stage.RCPT, 451, "4.7.1")
NO_RELAY = Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT)
CUT_AT_RCPT = Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.RCPT, 421)
LEGAL = {
    ("start", "scheduled", "sending"),
    ("pause", "scheduled", "paused"),
    ("pause", "sending", "paused"),
    ("resume", "paused", "sending"),
    ("cancel", "scheduled", "cancelled"),
    ("cancel", "sending", "cancelled"),
    ("cancel", "paused", "cancelled"),
    ("finish", "sending", "finished"),
}
ages = st.floats(0, 30 * 24 * 3600)
jitters = st.floats(1.0, 1.5)


@pytest.mark.parametrize("state", list(MailingState))
@pytest.mark.parametrize("verb", list(MOVES))
def test_each_move_is_legal_or_refused(state: MailingState, verb: str) -> None:
    onward = {end for name, start, end in LEGAL if (name, start) == (verb, state)}
    if onward:
        assert {move(state, verb)} == onward
    else:
        with pytest.raises(Conflict, match=f"{state} can't be asked to {verb}"):
            move(state, verb)


def test_what_is_over_stays_over() -> None:
    assert not any(
        state in starts for starts in MOVES.values() for state in (MailingState.FINISHED, MailingState.CANCELLED)
    )


@given(tries=st.integers(1, 10_000), age=ages, jitter=jitters)
def test_a_retry_is_at_least_half_an_hour_away_and_at_most_half_a_day(tries: int, age: float, jitter: float) -> None:
    """RULES F9."""
    due = retry_at(LATER, tries, age, 1000.0, jitter)
    if due is None:
        assert age > GIVE_UP_SECONDS
    else:
        assert 30 * 60 <= due - 1000.0 <= 12 * 3600


def test_retries_grow_further_apart_and_out_of_step() -> None:
    waits = [retry_at(LATER, tries, 0, 0.0, 1.0) for tries in range(1, 8)]
    assert waits == [1800, 3600, 7200, 14400, 28800, 28800, 28800]
    assert retry_at(LATER, 1, 0, 0.0, 1.5) == 2700


def test_it_is_given_up_after_four_days() -> None:
    """RULES F9."""
    assert retry_at(LATER, 12, GIVE_UP_SECONDS, 0.0, 1.0) is not None
    assert retry_at(LATER, 12, GIVE_UP_SECONDS + 1, 0.0, 1.0) is None


def test_a_mailing_that_was_paused_for_a_week_gives_nobody_up_at_the_first_try() -> None:
    assert retry_at(LATER, 1, 7 * 24 * 3600, 0.0, 1.0) is not None


@given(tries=st.integers(1, 10_000), age=ages, jitter=jitters)
def test_a_relay_out_of_reach_is_tried_again_soon_and_for_ever(tries: int, age: float, jitter: float) -> None:
    due = retry_at(NO_RELAY, tries, age, 0.0, jitter)
    assert due is not None
    assert due <= 30


def test_a_recipient_at_whom_the_relay_hangs_up_waits_like_a_deferred_one() -> None:
    assert relay_failed(NO_RELAY)
    assert not relay_failed(CUT_AT_RCPT)
    assert retry_at(CUT_AT_RCPT, 1, 0, 0.0, 1.0) == 1800


@pytest.mark.parametrize("kind", [OutcomeKind.DELIVERED, OutcomeKind.REFUSED, OutcomeKind.IN_DOUBT])
def test_what_is_final_is_not_tried_again(kind: OutcomeKind) -> None:
    assert retry_at(Outcome(kind, Stage.DATA), 1, 0, 0.0, 1.0) is None


def test_the_relay_is_asked_less_and_less_often_but_every_minute() -> None:
    assert [relay_wait(failures) for failures in (1, 2, 3, 6, 1_000_000)] == [2, 4, 8, 60, 60]
