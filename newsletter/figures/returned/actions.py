"""What came back, in numbers: of one mailing, and of all mail in the last days; by kind, code and domain (RULES F).

They are read from counters that stay when people and their reports go (`bounces.came_back`), so no figure changes when
the dead are deleted. A domain that few subscribe with was never named there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from newsletter.bounces.came_back import SMALLER
from newsletter.bounces.reading.verdicts import Verdict
from newsletter.bounces.reports import history
from newsletter.bounces.reports.tables import CameBack, Received
from newsletter.clock import day_of
from newsletter.database import Session
from newsletter.delivery.progress import progress
from newsletter.delivery.tables import Mailing
from newsletter.subscribers.tables import FirstSignal

DAYS = 30
MOST_DOMAINS = 25
_CODES = 5


class Kind(StrEnum):
    """What came back, in as few kinds as a picture can tell apart."""

    DEAD = "dead"
    FAULT = "fault"
    REFUSED = "refused"
    FULL = "full"
    COMPLAINT = "complaint"
    OTHER = "other"


KIND_OF = {
    Verdict.DEAD: Kind.DEAD,
    Verdict.DEAD_IF_REPEATED: Kind.DEAD,
    Verdict.ALARM: Kind.FAULT,
    Verdict.POLICY: Kind.REFUSED,
    Verdict.CONTENT: Kind.REFUSED,
    Verdict.MAILBOX_FULL: Kind.FULL,
    Verdict.TRANSIENT: Kind.FULL,
    Verdict.COMPLAINT: Kind.COMPLAINT,
    Verdict.UNSUBSCRIBE: Kind.COMPLAINT,
}


@dataclass(frozen=True, slots=True)
class Told:
    """How many came back with a verdict: refused at once, and reported later; and the most frequent codes of both."""

    verdict: str
    at_once: int
    later: int
    codes: Sequence[str]


@dataclass(frozen=True, slots=True)
class OfDomain:
    """How many came back from a domain, by kind; an empty name stands for all others together."""

    domain: str
    count: int
    kinds: Mapping[Kind, int]


@dataclass(frozen=True, slots=True)
class OfMailing:
    """What came back of a mailing. `bounced` had been delivered to the relay, and did not arrive."""

    delivered: int
    bounced: int
    verdicts: Sequence[Told]
    domains: Sequence[OfDomain]


@dataclass(frozen=True, slots=True)
class Day:
    """What came back on a day, by kind."""

    day: datetime
    kinds: Mapping[Kind, int]


@dataclass(frozen=True, slots=True)
class CameIn:
    """How much came in by a way, and what was done with it (`bounces.reports.Taken`)."""

    way: str
    taken: str
    count: int


def kind_of(verdict: str) -> Kind:
    """Give the kind of a verdict."""
    return KIND_OF.get(Verdict(verdict), Kind.OTHER)


def since(now: datetime) -> datetime:
    """Give the first of the days that are shown, of which today is the last."""
    return day_of(now) - timedelta(days=DAYS - 1)


async def of_mailing(session: Session, mailing: Mailing) -> OfMailing:
    """Give what came back of a mailing."""
    reported = await history.returned(session, mailing.id)
    mine = CameBack.mailing_id == mailing.id
    return OfMailing(
        delivered=(await progress(session, mailing)).delivered,
        bounced=reported.pop(history.BOUNCED, 0),
        verdicts=await _told(session, mine, reported),
        domains=await _domains(session, mine),
    )


async def verdicts(session: Session, now: datetime) -> list[Told]:
    """Give what came back of all mail in the last days, by verdict."""
    return await _told(session, col(CameBack.day) >= since(now))


async def domains(session: Session, now: datetime) -> list[OfDomain]:
    """Give from which domains it came back in the last days, the most first and those that are not named last."""
    return await _domains(session, col(CameBack.day) >= since(now))


async def trend(session: Session, now: datetime) -> list[Day]:
    """Give each of the last days, the empty ones too."""
    first = since(now)
    query = (
        select(CameBack.day, CameBack.verdict, func.sum(CameBack.count))
        .where(col(CameBack.day) >= first)
        .group_by(col(CameBack.day), col(CameBack.verdict))
    )
    found: dict[datetime, Counter[Kind]] = defaultdict(Counter)
    for day, verdict, number in (await session.exec(query)).all():
        found[day][kind_of(verdict)] += int(number)
    return [Day(day, _all_kinds(found[day])) for day in (first + timedelta(days=step) for step in range(DAYS))]


async def came_in(session: Session, now: datetime) -> list[CameIn]:
    """Give how much came in in the last days, by way, and what was done with it."""
    query = (
        select(Received.way, Received.taken, func.sum(Received.count))
        .where(col(Received.day) >= since(now))
        .group_by(col(Received.way), col(Received.taken))
        .order_by(col(Received.way), col(Received.taken))
    )
    return [CameIn(way, taken, int(number)) for way, taken, number in (await session.exec(query)).all()]


async def remembered(session: Session) -> int:
    """Give of how many mailboxes it was said once that they are closed (RULES F2)."""
    return (await session.exec(select(func.count()).select_from(FirstSignal))).one()


async def _told(
    session: Session, which: ColumnElement[bool] | bool, reported: Mapping[str, int] | None = None
) -> list[Told]:
    """Give the counts by verdict, the gravest first; `reported` are counters of their own, which stay for ever."""
    query = (
        select(CameBack.verdict, CameBack.code, CameBack.at_once, func.sum(CameBack.count))
        .where(which)
        .group_by(col(CameBack.verdict), col(CameBack.code), col(CameBack.at_once))
    )
    at_once: Counter[str] = Counter()
    later: Counter[str] = Counter()
    codes: dict[str, Counter[str]] = defaultdict(Counter)
    for verdict, code, refused, number in (await session.exec(query)).all():
        (at_once if refused else later)[verdict] += int(number)
        codes[verdict][code] += int(number)
    later = later if reported is None else Counter(reported)
    return [
        Told(verdict, at_once[verdict], later[verdict], _most(codes[verdict]))
        for verdict in Verdict
        if at_once[verdict] or later[verdict]
    ]


def _most(codes: Counter[str]) -> list[str]:
    ordered = sorted(codes.items(), key=lambda code: (-code[1], code[0]))
    return [code for code, _ in ordered if code][:_CODES]


async def _domains(session: Session, which: ColumnElement[bool] | bool) -> list[OfDomain]:
    query = (
        select(CameBack.domain, CameBack.verdict, func.sum(CameBack.count))
        .where(which)
        .group_by(col(CameBack.domain), col(CameBack.verdict))
    )
    found: dict[str, Counter[Kind]] = defaultdict(Counter)
    for domain, verdict, number in (await session.exec(query)).all():
        found[domain][kind_of(verdict)] += int(number)
    named = sorted((name for name in found if name != SMALLER), key=lambda name: (-found[name].total(), name))
    rest = [found[name] for name in (*named[MOST_DOMAINS:], SMALLER) if name in found]
    return [*(_of_domain(name, [found[name]]) for name in named[:MOST_DOMAINS]), *_smaller(rest)]


def _smaller(rest: Sequence[Counter[Kind]]) -> list[OfDomain]:
    return [_of_domain(SMALLER, rest)] if rest else []


def _of_domain(name: str, counts: Iterable[Counter[Kind]]) -> OfDomain:
    kinds = sum(counts, Counter[Kind]())
    return OfDomain(name, kinds.total(), _all_kinds(kinds))


def _all_kinds(kinds: Counter[Kind]) -> dict[Kind, int]:
    return {kind: kinds[kind] for kind in Kind}
