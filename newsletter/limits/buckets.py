"""The buckets in the database, which all processes share: taken under a lock, and written when it is known what came.

Whoever takes several takes them in the order of their tags, so that nobody waits for whoever waits for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlmodel import col, select

from newsletter.database import Session, insert_of, table_of
from newsletter.limits.tables import LimitBucket
from newsletter.limits.tagging import Tags

_BUCKETS = table_of(LimitBucket)
Named = tuple[str, str]


@dataclass(slots=True)
class Bucket:
    """A bucket that is held until the transaction ends."""

    tag: str
    until: float
    tail: float


async def take(session: Session, tags: Tags, names: Sequence[Named]) -> dict[Named, Bucket]:
    """Give the buckets of these kinds and names, locked; new ones are empty."""
    tags_of = {name: tags.of(*name) for name in names}
    fresh = [{"tag": tag[0], "until": 0.0, "tail": 0.0} for tag in sorted(tags_of.values())]
    locking, _ = _statements(session.get_bind().dialect.name)
    found = (await session.execute(locking, fresh)).all()
    held = {tag: Bucket(tag, until, tail) for tag, until, tail in found}
    older = await _look_up(session, [tag for each in tags_of.values() for tag in each[1:]])
    for own, *others in tags_of.values():
        for tag in others:
            if tag in older:
                held[own].until = max(held[own].until, older[tag].until)
                held[own].tail = max(held[own].tail, older[tag].tail)
    return {name: held[each[0]] for name, each in tags_of.items()}


async def look_at(session: Session, tags: Tags, name: Named) -> Bucket:
    """Give a bucket as it is just now, not locked."""
    found = (await _look_up(session, tags.of(*name))).values()
    return Bucket("", max((each.until for each in found), default=0.0), max((each.tail for each in found), default=0.0))


async def _look_up(session: Session, tags: Sequence[str]) -> Mapping[str, Bucket]:
    if not tags:
        return {}
    query = select(LimitBucket.tag, LimitBucket.until, LimitBucket.tail).where(col(LimitBucket.tag).in_(tags))
    return {tag: Bucket(tag, until, tail) for tag, until, tail in (await session.exec(query)).all()}


async def write(session: Session, buckets: Sequence[Bucket]) -> None:
    """Write buckets that were taken."""
    if not buckets:
        return
    _, writing = _statements(session.get_bind().dialect.name)
    rows = [{"tag": each.tag, "until": each.until, "tail": each.tail} for each in buckets]
    await session.execute(writing, rows)


@cache
def _statements(dialect: str) -> tuple[Any, Any]:
    """Give what locks buckets and what writes them, made once: signups don't wait for statements to be made."""
    insert = insert_of(dialect, _BUCKETS)
    # Written as it is: that locks it, also where another process makes it at this moment.
    kept = insert.on_conflict_do_update(index_elements=["tag"], set_={"until": _BUCKETS.c.until})
    new = {"until": insert.excluded.until, "tail": insert.excluded.tail}
    return kept.returning(*_BUCKETS.c), insert.on_conflict_do_update(index_elements=["tag"], set_=new)
