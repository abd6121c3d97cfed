"""The life of a mailing is a table; what follows from an outcome is reckoned without a clock or a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.rules import (
    GIVE_UP_SECONDS,
    MOVES,
    move,
    recovered,
    relay_wait,
    retry_at,
    sender_refused,
    undecided_at,
    window_size,
)
from newsletter.delivery.tables import MailingState
from newsletter.errors import Conflict
from newsletter.mail.outcome import Outcome, OutcomeKind, Stage, relay_failed

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
    ("resend", "sending", "sending"),
    ("resend", "paused", "paused"),
    ("resend", "finished", "sending"),
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


def test_what_is_over_stays_over_unless_somebody_in_doubt_is_sent_to_again() -> None:
    assert not any(MailingState.CANCELLED in starts for starts in MOVES.values())
    assert [verb for verb, starts in MOVES.items() if MailingState.FINISHED in starts] == ["resend"]


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


@given(jitter=jitters)
def test_whom_the_relay_had_no_time_for_is_come_back_to_soon(jitter: float) -> None:
    assert 10 <= undecided_at(0.0, jitter) <= 30


def test_a_recipient_at_whom_the_relay_hangs_up_waits_like_a_deferred_one() -> None:
    assert relay_failed(NO_RELAY)
    assert not relay_failed(CUT_AT_RCPT)
    assert retry_at(CUT_AT_RCPT, 1, 0, 0.0, 1.0) == 1800


def test_a_sender_is_refused_when_the_relay_wants_nothing_from_it_whoever_it_is_for() -> None:
    unwanted = Outcome(OutcomeKind.REFUSED, Stage.MAIL, 550, "5.7.1")
    assert sender_refused([unwanted, unwanted])
    assert not sender_refused([unwanted, LATER])
    assert not sender_refused([])


def test_a_window_grows_and_shrinks_until_it_takes_about_half_a_second() -> None:
    assert window_size(10, 0.05, 10, 250) == 40, "at most four times as large at once"
    assert window_size(100, 0.25, 10, 250) == 200
    assert window_size(200, 2.0, 10, 250) == 50
    assert window_size(20, 60.0, 10, 250) == 10, "a mail for each connection"
    assert window_size(250, 0.0, 10, 250) == 250


def test_without_a_journal_all_that_was_marked_is_in_doubt_and_with_one_what_it_says() -> None:
    """Promise P4."""
    noted = {3: None, 4: LATER}
    assert recovered(noted, 3) is None
    assert recovered(noted, 4) is LATER
    assert recovered(None, 3) == Outcome(OutcomeKind.IN_DOUBT, Stage.DATA)


@pytest.mark.parametrize("kind", [OutcomeKind.DELIVERED, OutcomeKind.REFUSED, OutcomeKind.IN_DOUBT])
def test_what_is_final_is_not_tried_again(kind: OutcomeKind) -> None:
    assert retry_at(Outcome(kind, Stage.DATA), 1, 0, 0.0, 1.0) is None


def test_the_relay_is_asked_less_and_less_often_but_every_minute() -> None:
    assert [relay_wait(failures) for failures in (1, 2, 3, 6, 1_000_000)] == [2, 4, 8, 60, 60]
