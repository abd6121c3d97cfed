"""Writing rows: one with its conflicts, or thousands at once.

What belongs to one database alone is loaded where it is used: a process that never meets the other has no use for it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from operator import itemgetter
from typing import Any

from sqlalchemy import CursorResult, Result, Table
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import OperationalError as OperationalFailure
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession as Session

from newsletter.database.columns import Moment


def insert(session: Session, table: Any) -> Any:
    """Give an INSERT that knows `on_conflict_…`, in the words of the session's database."""
    return insert_of(session.get_bind().dialect.name, table)


def insert_of(dialect: str, table: Any) -> Any:
    """Give the same for the database of that name, to be made once and kept."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        return sqlite_insert(table)
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    return postgresql_insert(table)


def table_of(model: type[SQLModel]) -> Table:
    """Give the table of a model, for plain statements."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel gives it to each model that is a table
    return table


def rows_of(result: Result[Any]) -> int:
    """Give how many rows an UPDATE or a DELETE has changed."""
    assert isinstance(result, CursorResult)
    return int(result.rowcount)


def is_away(error: Exception) -> bool:
    """Say whether an error is the database's, and not that of what was to be written."""
    return isinstance(error, SQLAlchemyError | OSError) and not isinstance(error, DataError | IntegrityError)


async def write_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of the same columns, as many as there are, without a compiled statement for any of them.

    COPY on PostgreSQL, one prepared statement on SQLite. For thousands of rows; for a few, an INSERT is as good.
    """
    if not rows:
        return
    await session.flush()
    connection, names = await session.connection(), list(rows[0])
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(names))
        values = [_as_stored(table, name, rows) for name in names]
        statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 (names of ours)
        await connection.exec_driver_sql(statement, list(zip(*values, strict=True)))
        return
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    records = map(itemgetter(*names), rows) if len(names) > 1 else ((row[names[0]],) for row in rows)
    import asyncpg  # type: ignore[import-untyped]  # asyncpg has no types

    try:
        await driver.copy_records_to_table(table.name, records=records, columns=names)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _kind_of(error)(None, None, error, hide_parameters=True) from None


def _kind_of(error: Exception) -> type[DBAPIError]:
    """Give SQLAlchemy's kind of an error of COPY, which goes past it: whoever waits for a database that is away knows
    its errors by their kind.
    """
    import asyncpg

    kinds: tuple[tuple[type[Exception], type[DBAPIError]], ...] = (
        (asyncpg.IntegrityConstraintViolationError, IntegrityError),
        (asyncpg.DataError, DataError),
        (asyncpg.PostgresConnectionError, OperationalFailure),
        (asyncpg.InterfaceError, OperationalFailure),
        (asyncpg.PostgresError, DBAPIError),
    )
    return next(ours for theirs, ours in kinds if isinstance(error, theirs))


def _as_stored(table: Table, name: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Give a column of the rows as SQLite's driver takes it: a time as SQLAlchemy writes it there."""
    values = [row[name] for row in rows]
    if not isinstance(table.c[name].type, Moment):
        return values
    # Written together, they happened together: most rows hold one of a few times.
    written = {at: at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") for at in set(values) if at is not None}
    return [written.get(at) for at in values]
