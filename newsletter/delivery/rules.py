"""The decisions of a mailing. Pure.

A mailing's life is a table; so is what follows from an outcome. Retries are at least 30 minutes apart, with jitter, and
given up after four days (RULES F9). A relay that can't be reached says nothing about a recipient: it is tried again
soon, and nobody is given up because of it.
"""

from newsletter.delivery.tables import MailingState
from newsletter.errors import Conflict
from newsletter.mail.smtp import Outcome, OutcomeKind, Stage

BLOCK_SIZE = 100
LEASE_SECONDS = 30.0
RENEW_SECONDS = 8.0
GIVE_UP_SECONDS = 4 * 24 * 3600.0
# A mailing may have been paused for days: time alone gives nobody up.
FEWEST_TRIES = 5
_SHORTEST_RETRY = 30 * 60.0
_LONGEST_RETRY = 8 * 3600.0
_RELAY_RETRY = 15.0

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
}


def move(state: str, verb: str) -> MailingState:
    """Give the state that `verb` leads to. Raises Conflict where it is not possible from `state`."""
    try:
        return MOVES[verb][state]
    except KeyError:
        raise Conflict(f"A mailing that is {state} can't be asked to {verb}.") from None


def relay_failed(outcome: Outcome) -> bool:
    """Say whether the relay itself could not be used, so that the outcome says nothing about the recipient."""
    return outcome.kind is OutcomeKind.NOT_ATTEMPTED and outcome.stage in (Stage.CONNECT, Stage.MAIL)


def retry_at(outcome: Outcome, tries: int, age: float, now: float, jitter: float) -> float | None:
    """Say when to try again after an outcome, by the clock that `now` is read from; None where it is final.

    `tries` counts this recipient's tries with this one, `age` the seconds since the mailing began; `jitter` lies
    between 1.0 and 1.5.
    """
    if relay_failed(outcome):
        return now + _RELAY_RETRY * jitter
    if outcome.kind not in (OutcomeKind.DEFERRED, OutcomeKind.NOT_ATTEMPTED):
        return None
    if age > GIVE_UP_SECONDS and tries >= FEWEST_TRIES:
        return None
    return now + min(_SHORTEST_RETRY * 2.0 ** min(tries - 1, 10), _LONGEST_RETRY) * jitter


def relay_wait(failures: int) -> float:
    """Give the seconds to wait after the relay could not be reached `failures` times in a row."""
    return float(min(2 ** min(failures, 6), 60))
