"""What the limits have held back, and whether somebody should look; what is kept of them, and for how long."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import col, select

from newsletter.agreements.traces.tags import HeldTag
from newsletter.database import Session, insert, rows_of
from newsletter.installation import Installation
from newsletter.limits import buckets
from newsletter.limits.rules import HOUR, WEEK, Rate
from newsletter.limits.tables import LimitAddress, LimitBucket, LimitOver
from newsletter.limits.tagging import forget_epochs, living

KEPT = timedelta(days=7)
BUDGET = ("budget", "")


class Kind(StrEnum):
    """What was held back: a request from a network, a letter that is dropped for its address, letters that wait."""

    NETWORK = "network"
    ADDRESS = "address"
    DOMAIN = "domain"
    BUDGET = "budget"


# From so many on in an hour somebody should look: a clumsy reader is no alarm, and a letter that waits is one.
_ALARMING = {Kind.NETWORK: 50, Kind.ADDRESS: 50, Kind.DOMAIN: 1, Kind.BUDGET: 1}


@dataclass(frozen=True, slots=True)
class Over:
    """How often each limit held something back in this hour and the one before, and which share of the budget is used
    up just now.
    """

    counts: Mapping[Kind, int]
    used: float

    @property
    def alarms(self) -> dict[Kind, int]:
        """Give the counts at which somebody should look."""
        return {kind: count for kind, count in self.counts.items() if count >= _ALARMING[kind]}


async def count(session: Session, installation: Installation, held_back: Mapping[Kind, int]) -> None:
    """Count what was held back."""
    hour = _hour(installation.clock.now())
    for kind, number in held_back.items():
        statement = insert(session, LimitOver).values(hour=hour, kind=kind, count=number)
        more = {"count": col(LimitOver.count) + number}
        await session.execute(statement.on_conflict_do_update(index_elements=["hour", "kind"], set_=more))


async def over(session: Session, installation: Installation) -> Over:
    """Give what the limits hold back just now."""
    now = installation.clock.now()
    lately = _hour(now) - timedelta(hours=1)
    query = select(LimitOver.kind, func.sum(LimitOver.count)).where(col(LimitOver.hour) >= lately)
    found = {kind: int(number) for kind, number in (await session.exec(query.group_by(LimitOver.kind))).all()}
    rate = Rate(installation.settings.limit_confirmations)
    bucket = await buckets.look_at(session, await living(session, installation), BUDGET)
    used = (rate.since(bucket.until, now.timestamp()) - now.timestamp()) / HOUR if rate.most else 0.0
    return Over({kind: found.get(kind, 0) for kind in Kind}, used)


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


async def held_about(session: Session, installation: Installation, canonical: str) -> list[HeldTag]:
    """Give the tags under which letters to an address were counted (RULES B2)."""
    tags = (await living(session, installation)).of("address", canonical)
    rows = (await session.exec(select(LimitAddress).where(col(LimitAddress.tag).in_(tags)))).all()
    return [HeldTag("limits", "letters", _moment(row.until - WEEK), _moment(row.until), None) for row in rows]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _expired(
    installation: Installation,
) -> list[tuple[type[LimitBucket | LimitAddress | LimitOver], ColumnElement[bool]]]:
    now = installation.clock.now()
    return [
        (LimitBucket, (col(LimitBucket.until) <= now.timestamp()) & (col(LimitBucket.tail) <= now.timestamp())),
        (LimitAddress, col(LimitAddress.until) <= now.timestamp()),
        (LimitOver, col(LimitOver.hour) <= now - KEPT),
    ]


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many tags and numbers no limit needs any more."""
    counts = [
        (await session.exec(select(func.count()).select_from(table).where(expired))).one()
        for table, expired in _expired(installation)
    ]
    return sum(counts)


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete them, and the salts that no tag needs; give how many."""
    purged = [rows_of(await session.execute(delete(table).where(over))) for table, over in _expired(installation)]
    await forget_epochs(session, installation)
    return sum(purged)
