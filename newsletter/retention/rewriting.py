"""On PostgreSQL: taking the bytes of deleted people out of the data files (RULES C7).

A deleted row stays in its file until a vacuum, and its bytes beyond that, in the heap and in the indexes. So each table
with personal columns in which something was deleted or changed is written anew (VACUUM FULL). Nobody can use the table
meanwhile; so a table that takes long rests two hundred times as long, and one that is in use just now is left to the
next time. On SQLite `Database.forget` does the same.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Table, text
from sqlmodel import SQLModel, select

from newsletter.database import Session, insert
from newsletter.installation import Installation
from newsletter.personal import is_personal
from newsletter.retention.rewriting_tables import Rewriting

_REST = 200
_CHANGES = text("SELECT relname, n_tup_del + n_tup_upd FROM pg_stat_user_tables WHERE schemaname = current_schema()")


async def rewrite_changed(installation: Installation) -> list[str]:
    """Write the tables anew in which people's data was deleted or changed since; give their names."""
    if installation.database.on_sqlite:
        return []
    return [
        name
        for name, changes in await _due(installation)
        if await _rewrite(installation, SQLModel.metadata.tables[name], changes)
    ]


async def _due(installation: Installation) -> Sequence[tuple[str, int]]:
    now = installation.clock.now()
    async with installation.database.read() as session:
        marks = {mark.name: mark for mark in (await session.exec(select(Rewriting))).all()}
        counted = {name: int(changes) for name, changes in (await session.execute(_CHANGES)).all()}
    tables = [table for table in SQLModel.metadata.sorted_tables if is_personal(table)]
    return [
        (table.name, counted[table.name])
        for table in tables
        if table.name in counted and _is_due(marks.get(table.name), counted[table.name], now)
    ]


def _is_due(mark: Rewriting | None, changes: int, now: datetime) -> bool:
    if mark is None:
        return changes > 0
    return changes != mark.changes and now >= mark.at + timedelta(seconds=mark.seconds * _REST)


async def _rewrite(installation: Installation, table: Table, changes: int) -> bool:
    began = installation.clock.monotonic()
    if not await installation.database.rewrite(table):
        return False
    seconds = installation.clock.monotonic() - began
    async with installation.database.write() as session:
        await _mark(
            session, {"name": table.name, "changes": changes, "at": installation.clock.now(), "seconds": seconds}
        )
    return True


async def _mark(session: Session, values: dict[str, object]) -> None:
    statement = insert(session, Rewriting).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
