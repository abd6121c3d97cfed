"""The decisions of a mailing. Pure.

A mailing's life is a table; so is what follows from an outcome. Retries are at least 30 minutes apart, with jitter, and
given up after four days (RULES F9). A relay that can't be reached says nothing about a recipient: they stay undecided,
the block comes back soon, and nobody is given up because of it.
"""

from collections.abc import Mapping, Sequence

from newsletter.delivery.tables import MailingState
from newsletter.errors import Conflict
from newsletter.mail.outcome import Outcome, OutcomeKind, Stage, sender_failed

BLOCK_SIZE = 500
# How many lanes a worker has for a mailing; all its windows together are never larger than a block.
LANES = 2
LEASE_SECONDS = 30.0
RENEW_SECONDS = 8.0
# Before its lease ends by the database's clock, a worker stops by its own: what reading the clocks may take.
LEASE_MARGIN_SECONDS = 5.0
GIVE_UP_SECONDS = 4 * 24 * 3600.0
# A mailing may have been paused for days: time alone gives nobody up.
FEWEST_TRIES = 5
_SHORTEST_RETRY = 30 * 60.0
_LONGEST_RETRY = 8 * 3600.0
_RELAY_RETRY = 15.0
_WINDOW_SECONDS = 0.5

MOVES: dict[str, dict[str, MailingState]] = {
    "start": {MailingState.SCHEDULED: MailingState.SENDING},
    "pause": {MailingState.SCHEDULED: MailingState.PAUSED, MailingState.SENDING: MailingState.PAUSED},
    "resume": {MailingState.PAUSED: MailingState.SENDING},
    "cancel": {
        MailingState.SCHEDULED: MailingState.CANCELLED,
        MailingState.SENDING: MailingState.CANCELLED,
        MailingState.PAUSED: MailingState.CANCELLED,
    },
    "finish": {MailingState.SENDING: MailingState.FINISHED},
    "resend": {
        MailingState.SENDING: MailingState.SENDING,
        MailingState.PAUSED: MailingState.PAUSED,
        MailingState.FINISHED: MailingState.SENDING,
    },
}


def move(state: str, verb: str) -> MailingState:
    """Give the state that `verb` leads to. Raises Conflict where it is not possible from `state`."""
    try:
        return MOVES[verb][state]
    except KeyError:
        raise Conflict(f"A mailing that is {state} can't be asked to {verb}.") from None


def sender_refused(outcomes: Sequence[Outcome]) -> bool:
    """Say whether the relay wants no mail from this sender at all, whoever it is for."""
    return bool(outcomes) and all(map(sender_failed, outcomes))


def window_size(size: int, seconds: float, least: int, most: int) -> int:
    """Give the size of the next window, so that it takes about half a second, after one of `size` took `seconds`."""
    fitting = size * _WINDOW_SECONDS / max(seconds, 0.001)
    return int(max(least, min(fitting, 4 * size, most)))


def recovered(noted: Mapping[int, Outcome | None] | None, number: int) -> Outcome | None:
    """Say what became of a delivery that a lost worker had marked, by what its journal says; None: nothing has left.

    Without a journal the ledger alone is trusted, and that says that it may have left.
    """
    return Outcome(OutcomeKind.IN_DOUBT, Stage.DATA) if noted is None else noted[number]


def retry_at(outcome: Outcome, tries: int, age: float, now: float, jitter: float) -> float | None:
    """Say when to try again after an outcome, by the clock that `now` is read from; None where it is final.

    `tries` counts this recipient's tries with this one, `age` the seconds since the mailing began; `jitter` lies
    between 1.0 and 1.5.
    """
    if outcome.kind not in (OutcomeKind.DEFERRED, OutcomeKind.NOT_ATTEMPTED):
        return None
    if age > GIVE_UP_SECONDS and tries >= FEWEST_TRIES:
        return None
    return now + min(_SHORTEST_RETRY * 2.0 ** min(tries - 1, 10), _LONGEST_RETRY) * jitter


def undecided_at(now: float, jitter: float) -> float:
    """Say when to come back to a block of which somebody was left for later: the relay, not they, had no time."""
    return now + _RELAY_RETRY * jitter


def relay_wait(failures: int) -> float:
    """Give the seconds to wait after the relay could not be reached `failures` times in a row."""
    return float(min(2 ** min(failures, 6), 60))
