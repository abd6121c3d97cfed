"""What slows mail to one domain down, and how it recovers. Pure: time is handed in, in seconds.

A level halves the rate and the connections of a domain. Trouble raises it by one, at most once in a while, for what is
on its way when it starts is the same trouble; each five minutes without trouble lower it again, by themselves. Troubles
are replies that close the connection (421), many refused for now (4yz) and replies that are much slower than others'.
Greylisting is none to speak of: it asks each recipient to come back later, and they will.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from statistics import median

from newsletter.mail.outcome import Outcome, OutcomeKind, Stage

GOOD_SECONDS = 300.0
SAME_TROUBLE_SECONDS = 20.0
FEWEST_OF_A_BURST = 5
SLOW_SECONDS = 2.0
SLOW_TIMES = 4.0
_SEVERAL = 3
_LEAST_RATE = 1 / 30
_LEAST_BASE = 5.0
_USUAL_BASE = 20.0
_CLOSING = 421


class Trouble(StrEnum):
    """What a domain may ask us to slow down by."""

    CLOSING = "closing"
    BURST = "burst"
    SLOW = "slow"
    GREYLISTING = "greylisting"


# Slow replies bind connections, which a few levels cure; greylisting is over by the next try whatever we do.
HIGHEST = {Trouble.CLOSING: 10, Trouble.BURST: 10, Trouble.SLOW: 3, Trouble.GREYLISTING: 1}


@dataclass(frozen=True, slots=True)
class Slowness:
    """How much a domain is slowed: its level when there was trouble last, and the rate that level 0 stood for then."""

    level: int = 0
    troubled_at: float = 0.0
    trouble: Trouble | None = None
    base: float = 0.0

    def level_at(self, now: float) -> int:
        """Give the level that is left now."""
        return max(0, self.level - max(0, floor((now - self.troubled_at) / GOOD_SECONDS))) if self.level else 0

    def after(self, trouble: Trouble, now: float, rate: float = 0.0) -> "Slowness":
        """Give what follows from trouble; `rate` is what the domain was being sent in a second, 0 where not known."""
        level = self.level_at(now)
        if level and (now < self.troubled_at + SAME_TROUBLE_SECONDS or trouble is Trouble.GREYLISTING):
            return self
        base = max(rate, _LEAST_BASE) if rate else _USUAL_BASE
        raised = max(level, min(level + 1, HIGHEST[trouble]))
        return Slowness(raised, now, trouble, self.base if level else base)

    def rate(self, configured: float, now: float) -> float:
        """Give the mails a second that are allowed; 0 where nothing limits them."""
        level = self.level_at(now)
        full = min(configured or self.base, self.base) if level else configured
        return max(full / 2**level, min(full, _LEAST_RATE)) if full else 0.0


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of a window's mails to one domain; those that closed the connection (421) and those that greylist are
    among the deferred. `seconds` is the median of the times a reply took; 0 where not known.
    """

    delivered: int = 0
    deferred: int = 0
    closing: int = 0
    seconds: float = 0.0
    greylisted: int = 0
    refused: int = 0

    @property
    def answered(self) -> int:
        """Give how many were answered."""
        return self.delivered + self.deferred + self.refused


def greylists(outcome: Outcome) -> bool:
    """Say whether a reply is what greylisting looks like: this recipient, later."""
    return (
        outcome.kind is OutcomeKind.DEFERRED
        and outcome.stage is Stage.RCPT
        and outcome.code in (450, 451)
        and outcome.enhanced in ("4.7.1", "4.2.0", None)
    )


def tally(answers: Iterable[tuple[str, Outcome, float]]) -> dict[str, Tally]:
    """Count a window's outcomes by domain, given each with its domain and the seconds its reply took (0: not known)."""
    found: dict[str, list[tuple[Outcome, float]]] = {}
    for domain, outcome, seconds in answers:
        if outcome.stage in (Stage.RCPT, Stage.DATA):
            found.setdefault(domain, []).append((outcome, seconds))
    return {domain: _tallied(answered) for domain, answered in found.items()}


def _tallied(answered: list[tuple[Outcome, float]]) -> Tally:
    kinds = [outcome.kind for outcome, _ in answered]
    times = [seconds for _, seconds in answered if seconds > 0]
    closing = [outcome for outcome, _ in answered if outcome.code == _CLOSING]
    return Tally(
        delivered=kinds.count(OutcomeKind.DELIVERED),
        deferred=kinds.count(OutcomeKind.DEFERRED)
        + len([each for each in closing if each.kind != OutcomeKind.DEFERRED]),
        closing=len(closing),
        seconds=median(times) if times else 0.0,
        greylisted=sum(greylists(outcome) for outcome, _ in answered),
        refused=kinds.count(OutcomeKind.REFUSED),
    )


def troubles(tallies: Mapping[str, Tally]) -> dict[str, Trouble]:
    """Say which domains ask us to slow down. What most of several domains do at once is the relay's doing, and nobody's
    trouble.
    """
    found = {domain: trouble for domain, each in tallies.items() if (trouble := _trouble(domain, each, tallies))}
    return {} if len(found) >= _SEVERAL and 2 * len(found) > len(tallies) else found


def _trouble(domain: str, each: Tally, tallies: Mapping[str, Tally]) -> Trouble | None:
    burst = max(FEWEST_OF_A_BURST, each.answered / 2)
    if each.closing:
        return Trouble.CLOSING
    if each.deferred - each.greylisted >= burst:
        return Trouble.BURST
    if each.answered >= FEWEST_OF_A_BURST and each.seconds >= SLOW_SECONDS and _much_slower(domain, tallies):
        return Trouble.SLOW
    return Trouble.GREYLISTING if each.deferred >= burst else None


def _much_slower(domain: str, tallies: Mapping[str, Tally]) -> bool:
    others = [each.seconds for name, each in tallies.items() if name != domain and each.seconds]
    return bool(others) and tallies[domain].seconds >= SLOW_TIMES * median(others)
