"""Which refusals mean a dead address, and when a flood of them means a provider's mistake. Pure.

Only a refusal at RCPT with a code that says "no such mailbox" is dead at once (RULES F2), and only where its words
don't say otherwise (RULES F5); a full mailbox, policy, reputation and greylisting never delete anybody (promise P6).
"""

from dataclasses import dataclass
from typing import Self

from newsletter.mail.smtp import Outcome, OutcomeKind, Stage

_DEAD_AT_ONCE = {"5.1.1", "5.1.3", "5.1.6", "5.1.10"}
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


def is_dead(outcome: Outcome) -> bool:
    """Say whether an outcome of our own sending means that the address is dead."""
    return (
        outcome.kind is OutcomeKind.REFUSED
        and outcome.stage is Stage.RCPT
        and outcome.code is not None
        and outcome.enhanced in _DEAD_AT_ONCE
        and not outcome.vetoed
    )


def trips_breaker(tally: Tallied, *, small_domain: bool) -> bool:
    """Say whether so many died that a person should look before anybody is deleted (RULES F4).

    More than 5 % and at least 20; in a domain also at least 3 and more than were accepted.
    """
    if tally.dead >= _FEW and tally.dead > _SHARE * (tally.accepted + tally.dead):
        return True
    return small_domain and tally.dead >= _SMALL_DOMAIN_DEAD and tally.dead > tally.accepted
