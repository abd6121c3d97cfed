"""What was sent and what was read, in numbers (RULES D5).

Where fewer than twenty people got an issue there are totals only, and an hour is shown once it is over: a figure about
one person is a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_datetime
from sqlalchemy import func
from sqlmodel import col, select

from newsletter.clock import Clock
from newsletter.database import Session
from newsletter.delivery import actions as delivery
from newsletter.delivery.progress import progress as progress_of
from newsletter.figures.charts import LinkBar, Slot
from newsletter.issues.tables import IssueLink
from newsletter.measurement.counting import WHILE_SENDING
from newsletter.measurement.links import ANY_LINK, OPEN
from newsletter.measurement.rules import Verdict
from newsletter.measurement.tables import Count

SMALL_GROUP = 20
_LONGEST_SERIES = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Opens:
    """Opens by people, how many of them, and the opens of machines apart."""

    total: int = 0
    unique: int = 0
    machine: int = 0


@dataclass(frozen=True, slots=True)
class LinkClicks:
    """Clicks on one link."""

    url: str
    total: int
    unique: int


@dataclass(frozen=True, slots=True)
class Clicks:
    """Clicks by people, and by how many."""

    total: int
    unique: int
    links: Sequence[LinkClicks]


@dataclass(frozen=True, slots=True)
class Figures:
    """An issue's figures."""

    sent: int
    delivered: int
    refused: int
    opens: Opens
    clicks: Clicks
    small_group: bool


async def figures_of(session: Session, issue_id: str) -> Figures:
    """Read an issue's figures; all zero before its mailing."""
    mailing = await delivery.of_issue(session, issue_id)
    progress = await progress_of(session, mailing) if mailing else None
    delivered = progress.delivered if progress else 0
    sums = await _sums(session, issue_id)
    human = Verdict.HUMAN.value
    machines = sum(total for (link, verdict), (total, _) in sums.items() if link == OPEN and verdict != human)
    opens = sums.get((OPEN, human), (0, 0))
    clicks = sums.get((ANY_LINK, human), (0, 0))
    small = delivered < SMALL_GROUP
    return Figures(
        sent=delivered + progress.refused + progress.in_doubt if progress else 0,
        delivered=delivered,
        refused=progress.refused if progress else 0,
        opens=Opens(*opens, machine=machines),
        clicks=Clicks(*clicks, links=[] if small else await _links(session, issue_id, sums)),
        small_group=small,
    )


async def _sums(session: Session, issue_id: str) -> dict[tuple[int, str], tuple[int, int]]:
    query = (
        select(Count.link, Count.verdict, func.sum(Count.total), func.sum(Count.first))
        .where(Count.issue_id == issue_id)
        .group_by(col(Count.link), col(Count.verdict))
    )
    rows = (await session.exec(query)).all()
    return {(link, verdict): (int(total), int(first)) for link, verdict, total, first in rows}


async def _links(session: Session, issue_id: str, sums: dict[tuple[int, str], tuple[int, int]]) -> list[LinkClicks]:
    links = select(IssueLink).where(IssueLink.issue_id == issue_id).order_by(col(IssueLink.number))
    return [
        LinkClicks(link.url, *sums.get((link.number, Verdict.HUMAN.value), (0, 0)))
        for link in (await session.exec(links)).all()
    ]


async def over_time(session: Session, clock: Clock, issue_id: str, language: str) -> list[Slot]:
    """Give opens and clicks by people, hour by hour, as far as the hours are over and their hour was kept."""
    this_hour = clock.now().replace(minute=0, second=0, microsecond=0)
    query = select(Count).where(
        Count.issue_id == issue_id,
        Count.verdict == Verdict.HUMAN.value,
        col(Count.link).in_((OPEN, ANY_LINK)),
        Count.hour > WHILE_SENDING,
        Count.hour < this_hour,
    )
    counts = {(count.hour, count.link): count.total for count in (await session.exec(query)).all()}
    if not counts:
        return []
    first = min(hour for hour, _ in counts)
    last = min(max(hour for hour, _ in counts), first + _LONGEST_SERIES)
    hours = [first + timedelta(hours=step) for step in range(int((last - first) / timedelta(hours=1)) + 1)]
    return [
        Slot(_label(hour, language), counts.get((hour, OPEN), 0), counts.get((hour, ANY_LINK), 0)) for hour in hours
    ]


def _label(hour: datetime, language: str) -> str:
    return format_datetime(hour, "d. MMM HH:mm", locale=language)


def bars(figures: Figures) -> list[LinkBar]:
    """Give the links for their picture."""
    return [LinkBar(link.url, link.total, link.unique) for link in figures.clicks.links]
