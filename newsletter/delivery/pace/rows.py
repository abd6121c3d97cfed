"""Reading, locking and writing what is stored of the paces.

Rows are locked sorted by tag, those that don't exist yet being made first, in the same order; the day of a warm-up
comes last. Whoever keeps to that never waits in a circle.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, func, select, update
from sqlmodel import col

from newsletter.database import Session, insert, rows_of, table_of
from newsletter.delivery.pace.slowing import GOOD_SECONDS, HIGHEST, Slowness, Trouble
from newsletter.delivery.pace.tables import Pace, SendingDay
from newsletter.mail.wire.meters import Meter
from newsletter.tokens import Keyring

# Tables, not models: these are plain statements.
_PACE, _DAY = table_of(Pace), table_of(SendingDay)
IDLE_SECONDS = 3600.0
_KEPT_DAYS = timedelta(days=90)
_LONGEST_TROUBLE = GOOD_SECONDS * max(HIGHEST.values())


@dataclass(frozen=True, slots=True)
class State:
    """The meter and the slowness of one pace."""

    meter: Meter = field(default_factory=Meter)
    slowness: Slowness = field(default_factory=Slowness)


def tag(keys: Keyring, kind: str, name: str) -> str:
    """Give the keyed tag of a pace: `kind` is domain, for recipients', or sender."""
    return keys.tag("pace", f"{kind}/{name}".encode()).hex()


def day_of(now: float) -> date:
    """Give the day (UTC) of a moment in seconds since 1970."""
    return datetime.fromtimestamp(now, UTC).date()


async def slowed(session: Session, now: float) -> dict[str, Slowness]:
    """Give the slowness of every pace that is slowed now, by tag."""
    lately = select(_PACE).where(col(Pace.troubled_at) > now - _LONGEST_TROUBLE)
    states = {row.tag: _state(row).slowness for row in (await session.execute(lately)).all()}
    return {each: slowness for each, slowness in states.items() if slowness.level_at(now)}


async def lock(session: Session, tags: Mapping[str, str]) -> dict[str, State]:
    """Give the states of the paces with these tags, by name; nobody else changes them before the transaction ends."""
    if not tags:
        return {}
    ordered = sorted(tags.values())
    there = select(col(Pace.tag)).where(col(Pace.tag).in_(ordered))
    missing = sorted(set(ordered) - set((await session.execute(there)).scalars()))
    if missing:
        rows = [{"tag": each} | _columns(State()) for each in missing]
        await session.execute(insert(session, Pace).values(rows).on_conflict_do_nothing())
    locked = select(_PACE).where(col(Pace.tag).in_(ordered)).order_by(col(Pace.tag)).with_for_update()
    states = {row.tag: _state(row) for row in (await session.execute(locked)).all()}
    return {name: states.get(each, State()) for name, each in tags.items()}


async def write(session: Session, states: Mapping[str, State]) -> None:
    """Store the states that were locked, by tag."""
    rows = [{"key": each} | _columns(state) for each, state in sorted(states.items())]
    if rows:
        await session.execute(update(_PACE).where(col(Pace.tag) == bindparam("key")), rows)


async def lock_day(session: Session, domain: str, day: date) -> int:
    """Give how many mails a sender's domain was granted on a day; nobody else grants any until the transaction ends."""
    statement = insert(session, SendingDay).values(domain=domain, day=day, used=0)
    await session.execute(statement.on_conflict_do_nothing())
    locked = select(col(SendingDay.used)).where(_is(domain, day)).with_for_update()
    return int((await session.execute(locked)).scalar_one())


async def write_day(session: Session, domain: str, day: date, used: int) -> None:
    """Store how many it is now."""
    await session.execute(update(_DAY).where(_is(domain, day)).values(used=used))


async def days(session: Session, domains: Collection[str]) -> dict[tuple[str, date], int]:
    """Give how many mails left on each day of these senders' domains."""
    query = select(_DAY).where(col(SendingDay.domain).in_(domains))
    return {(row.domain, row.day): row.used for row in (await session.execute(query)).all()}


async def count_idle(session: Session, now: float) -> int:
    """Give how many rows say nothing any more, those of warm-ups that are long over among them."""
    idle = select(func.count()).select_from(_PACE).where(_says_nothing(now))
    days = select(func.count()).select_from(SendingDay).where(col(SendingDay.day) < day_of(now) - _KEPT_DAYS)
    return int((await session.execute(idle)).scalar_one() + (await session.execute(days)).scalar_one())


async def forget_idle(session: Session, now: float) -> int:
    """Delete the rows that say nothing any more, and the days of warm-ups that are long over; give how many."""
    # What somebody holds is left for the next time: a deletion locks in no order that others keep to.
    free = select(col(Pace.tag)).where(_says_nothing(now)).with_for_update(skip_locked=True)
    idle = await session.execute(delete(_PACE).where(col(Pace.tag).in_(free)))
    days = await session.execute(delete(SendingDay).where(col(SendingDay.day) < day_of(now) - _KEPT_DAYS))
    return rows_of(idle) + rows_of(days)


def _says_nothing(now: float) -> ColumnElement[bool]:
    old = now - IDLE_SECONDS
    return and_(col(Pace.full_at) < old, col(Pace.queue_at) < old, col(Pace.troubled_at) < old - _LONGEST_TROUBLE)


def _is(domain: str, day: date) -> ColumnElement[bool]:
    return and_(col(SendingDay.domain) == domain, col(SendingDay.day) == day)


def _state(row: Row[Any]) -> State:
    trouble = Trouble(row.trouble) if row.trouble else None
    return State(Meter(row.full_at, row.queue_at), Slowness(row.level, row.troubled_at, trouble, row.base))


def _columns(state: State) -> dict[str, object]:
    meter, slowness = state.meter, state.slowness
    return {
        "full_at": meter.full_at,
        "queue_at": meter.queue_at,
        "level": slowness.level,
        "troubled_at": slowness.troubled_at,
        "trouble": slowness.trouble,
        "base": slowness.base,
    }
