"""Which refusals mean a dead address, and when a flood of them means a provider's mistake or our own. Pure.

Only a refusal at RCPT with a code that says "no such mailbox" is dead at once (RULES F2), and only where its words
don't say otherwise (RULES F5); a full mailbox, policy, reputation and greylisting never delete anybody (promise P6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from newsletter.bounces.reading.codes import ALARMING, DEAD, DEAD_IF_REPEATED
from newsletter.bounces.reading.verdicts import Verdict
from newsletter.mail.wire.smtp import Outcome, OutcomeKind, Stage

APART = timedelta(days=7)
REMEMBERED = timedelta(days=60)
ALARM_WINDOW = 500
_ALARM_SHARE = 0.01
_SHARE = 0.05
_FEW = 20
_SMALL_DOMAIN_DEAD = 3


@dataclass(frozen=True, slots=True)
class Tallied:
    """What happened within the hour in one domain or one mailing."""

    accepted: int
    dead: int

    def __add__(self, other: Self) -> "Tallied":
        """Give both together."""
        return Tallied(self.accepted + other.accepted, self.dead + other.dead)


def verdict_of(outcome: Outcome) -> Verdict | None:
    """Say what an outcome of our own sending says of the address, or of us; None where nothing follows from it.

    One that is vetoed by its words says nothing of the address.
    """
    if outcome.kind is not OutcomeKind.REFUSED or outcome.code is None or (outcome.enhanced or "")[:2] != "5.":
        return None
    detail = (outcome.enhanced or "")[2:]
    if detail in ALARMING:
        return Verdict.ALARM
    if outcome.stage is not Stage.RCPT or outcome.vetoed:
        return None
    if detail in DEAD:
        return Verdict.DEAD
    return Verdict.DEAD_IF_REPEATED if detail in DEAD_IF_REPEATED else None


def is_dead(outcome: Outcome) -> bool:
    """Say whether an outcome of our own sending means that the address is dead, once is enough."""
    return verdict_of(outcome) is Verdict.DEAD


def is_repeated(first: datetime | None, today: datetime) -> bool:
    """Say whether a sign of death today, after a first one on that day, is the second: 7 days apart (RULES F2)."""
    return first is not None and APART <= today - first <= REMEMBERED


def trips_breaker(tally: Tallied, *, small_domain: bool) -> bool:
    """Say whether so many died that a person should look before anybody is deleted (RULES F4).

    More than 5 % and at least 20; in a domain also at least 3 and more than were accepted.
    """
    if tally.dead >= _FEW and tally.dead > _SHARE * (tally.accepted + tally.dead):
        return True
    return small_domain and tally.dead >= _SMALL_DOMAIN_DEAD and tally.dead > tally.accepted


def too_many_alarms(alarms: Sequence[tuple[int, int]]) -> bool:
    """Say whether more than 1 % in any window of 500 results were alarms.

    Each of `alarms` is after how many results of the mailing it came, and how many there were.
    """
    most = ALARM_WINDOW * _ALARM_SHARE
    return any(sum(count for at, count in alarms if end - ALARM_WINDOW < at <= end) > most for end, _ in alarms)
