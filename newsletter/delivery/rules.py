"""The decisions of a mailing. Pure.

A mailing's life is a table; so is what follows from an outcome. Retries are at least 30 minutes apart, with jitter, and
given up after four days (RULES F9); a relay that can't be reached says nothing about a recipient, and is tried again
soon.
"""

from newsletter.delivery.tables import MailingState
from newsletter.errors import Conflict
from newsletter.mail.smtp import Outcome, OutcomeKind

BLOCK_SIZE = 100
LEASE_SECONDS = 30.0
RENEW_SECONDS = 8.0
GIVE_UP_SECONDS = 4 * 24 * 3600.0
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


def retry_at(outcome: Outcome, attempt: int, now: float, started: float, jitter: float) -> float | None:
    """Say when to try again after a deferred outcome, in seconds since 1970; None to give up.

    `attempt` counts from 1, `jitter` lies between 1.0 and 1.5.
    """
    if now - started > GIVE_UP_SECONDS:
        return None
    if outcome.kind is OutcomeKind.NOT_ATTEMPTED:
        return now + _RELAY_RETRY * jitter
    return now + min(_SHORTEST_RETRY * 2.0 ** (attempt - 1), _LONGEST_RETRY) * jitter


def relay_wait(failures: int) -> float:
    """Give the seconds to wait after the relay could not be reached `failures` times in a row."""
    return float(min(2**failures, 60))
