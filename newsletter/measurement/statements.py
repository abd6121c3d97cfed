"""The statements that write hits, built once: a group has thousands, and each is to cost next to nothing.

All marks of a group go to the database as one value, and come apart there; only those that were not there before come
back.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import Insert, text

from newsletter.database import Session, insert_of, table_of
from newsletter.measurement.tables import Count

MARK_BYTES = 16
_COUNTS = table_of(Count)

_STORE_ON_SQLITE = text(
    f"""
    WITH RECURSIVE place (at) AS (SELECT 1 UNION ALL SELECT at + {MARK_BYTES} FROM place WHERE at + {MARK_BYTES} < :end)
    INSERT INTO seen (issue_id, mark) SELECT :issue_id, substr(:marks, at, {MARK_BYTES}) FROM place WHERE true
    ON CONFLICT DO NOTHING RETURNING mark
    """  # noqa: S608 (a number of ours)
)
_STORE_ON_POSTGRESQL = text(
    """
    INSERT INTO seen (issue_id, mark) SELECT :issue_id, mark FROM unnest(CAST(:marks AS bytea[])) AS given (mark)
    ON CONFLICT DO NOTHING RETURNING mark
    """
)


@cache
def _adding(dialect: str) -> Insert:
    statement = insert_of(dialect, _COUNTS)
    sums = {name: _COUNTS.c[name] + statement.excluded[name] for name in ("total", "first")}
    adding: Insert = statement.on_conflict_do_update(index_elements=list(_COUNTS.primary_key), set_=sums)
    return adding


async def store(session: Session, issue_id: str, marks: Sequence[bytes]) -> list[bytes]:
    """Store an issue's marks in the order given; give those that were not there before. Each has MARK_BYTES bytes."""
    if session.get_bind().dialect.name == "sqlite":
        joined = b"".join(marks)
        values = {"issue_id": issue_id, "marks": joined, "end": len(joined) + 1}
        stored = await session.execute(_STORE_ON_SQLITE, values)
    else:
        stored = await session.execute(_STORE_ON_POSTGRESQL, {"issue_id": issue_id, "marks": list(marks)})
    return [bytes(mark) for mark in stored.scalars()]


async def add(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Add numbers to the counters."""
    await session.execute(_adding(session.get_bind().dialect.name), rows)
