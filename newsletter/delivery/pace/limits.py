"""What the operator allows: how fast mail may go to a domain, how much in an hour, and how a new domain warms up. Pure.

Providers count what a sender's domain mails them. One that begins with a hundred thousand mails looks stolen; one that
begins with fifty and doubles each day, while few complain, is let in. So a warm-up is a plan: each day twice as much as
the day before, up to a target, and no limit after the last day. Days are those of UTC.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from newsletter.errors import MisconfiguredError
from newsletter.mail.wire.relays import read_domain
from newsletter.settings import Settings

EVERY_OTHER = "*"
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_PACE = re.compile(r"(?:(\d{1,7}(?:\.\d{1,6})?)/([smh]))?(?:(?:^|\s+)(\d{1,5}))?", re.ASCII)
_WARM_UP = re.compile(r"(\d{4}-\d{2}-\d{2})\s+(\d{1,9})\s+(\d{1,9})", re.ASCII)
_PACE_SHAPE = (
    "NEWSLETTER_DOMAIN_PACE must look like gmail.com=20/s 8; outlook.com,hotmail.com=300/m; *=2/s, with mails per "
    "s, m or h, then connections, either of which may be left out."
)
_WARM_UP_SHAPE = (
    "NEWSLETTER_WARM_UP must look like news.example.com=2026-11-22 50 10000: the first day, how many mails on it, and "
    "how many on the last."
)


@dataclass(frozen=True, slots=True)
class DomainLimit:
    """What all workers together may do to the domains that share the pace called `name`.

    `rate` is in mails a second, `connections` at once; 0 is without limit.
    """

    name: str
    rate: float = 0.0
    connections: int = 0


@dataclass(frozen=True, slots=True)
class WarmUp:
    """The first days of a sending domain."""

    domain: str
    start: date
    first: int
    target: int

    def plan(self) -> list[tuple[date, int]]:
        """Give each day with its mails: doubling, and on the last day the target."""
        days, quota = [], self.first
        while quota < self.target:
            days.append(quota)
            quota *= 2
        return [(self.start + timedelta(number), quota) for number, quota in enumerate([*days, self.target])]

    def quota(self, day: date) -> int | None:
        """Give how many mails may leave on a day: before the warm-up as on its first day, None where it is over."""
        plan = self.plan()
        if day > plan[-1][0]:
            return None
        return plan[max(0, (day - self.start).days)][1]


@dataclass(frozen=True, slots=True)
class Limits:
    """All that is set about the pace."""

    domains: Mapping[str, DomainLimit]
    others: DomainLimit | None
    hourly: int
    warm_ups: Mapping[str, WarmUp]

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Read NEWSLETTER_DOMAIN_PACE, _HOURLY_LIMIT and _WARM_UP. Raises MisconfiguredError."""
        return _read(settings.domain_pace, settings.hourly_limit, settings.warm_up)

    @property
    def any(self) -> bool:
        """Say whether anything is limited at all."""
        return bool(self.domains or self.others or self.hourly or self.warm_ups)

    def limit(self, domain: str) -> DomainLimit:
        """Give the limit of a recipient's domain, in the form that `domain_of` gives."""
        if (known := self.domains.get(domain)) is not None:
            return known
        if self.others is None:
            return DomainLimit(domain)
        return DomainLimit(domain, self.others.rate, self.others.connections)

    def quota(self, sender_domain: str, day: date) -> int | None:
        """Give how many mails of a sender's domain may leave on a day; None where nothing limits them."""
        warm_up = self.warm_ups.get(sender_domain)
        return warm_up.quota(day) if warm_up else None


@lru_cache(maxsize=8)
def _read(domain_pace: str, hourly: int, warm_up: str) -> Limits:
    domains: dict[str, DomainLimit] = {}
    for names, text in _entries(domain_pace, _PACE_SHAPE):
        limit = _read_pace(names[0], text)
        for name in names:
            if name in domains:
                raise MisconfiguredError(f"NEWSLETTER_DOMAIN_PACE names {name} twice.")
            domains[name] = limit
    others = domains.pop(EVERY_OTHER, None)
    warm_ups: dict[str, WarmUp] = {}
    for names, text in _entries(warm_up, _WARM_UP_SHAPE):
        if len(names) > 1 or names[0] in (*warm_ups, EVERY_OTHER):
            raise MisconfiguredError(_WARM_UP_SHAPE + " Each domain has its own entry.")
        warm_ups[names[0]] = _read_warm_up(names[0], text)
    return Limits(domains, others, hourly, warm_ups)


def _entries(text: str, shape: str) -> Iterator[tuple[list[str], str]]:
    for entry in re.split(r"[;\n]", text):
        names, equals, value = entry.partition("=")
        if not entry.strip():
            continue
        if not equals or not value.strip():
            raise MisconfiguredError(shape)
        try:
            yield [_read_name(name) for name in names.split(",")], value.strip()
        except ValueError:
            raise MisconfiguredError(shape) from None


def _read_name(text: str) -> str:
    return EVERY_OTHER if text.strip() == EVERY_OTHER else read_domain(text)


def _read_pace(name: str, text: str) -> DomainLimit:
    found = _PACE.fullmatch(text)
    if not found or not (found[1] or found[3]):
        raise MisconfiguredError(_PACE_SHAPE)
    rate = float(found[1]) / _SECONDS[found[2]] if found[1] else 0.0
    connections = int(found[3] or 0)
    if (found[1] and not rate) or (found[3] and not connections):
        raise MisconfiguredError("NEWSLETTER_DOMAIN_PACE: a pace of 0 would never send; leave it out for no limit.")
    return DomainLimit(name, rate, connections)


def _read_warm_up(name: str, text: str) -> WarmUp:
    found = _WARM_UP.fullmatch(text)
    if not found:
        raise MisconfiguredError(_WARM_UP_SHAPE)
    first, target = int(found[2]), int(found[3])
    if not 0 < first <= target:
        raise MisconfiguredError("NEWSLETTER_WARM_UP: the first day needs a mail, and the last day at least as many.")
    try:
        warm_up = WarmUp(name, date.fromisoformat(found[1]), first, target)
        warm_up.plan()
    except (ValueError, OverflowError):
        raise MisconfiguredError(_WARM_UP_SHAPE) from None
    return warm_up
