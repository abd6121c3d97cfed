"""The database: SQLite in the data folder, or PostgreSQL. One way to open it, one way to read, one way to write.

SQLite: transactions are begun by us (`BEGIN IMMEDIATE` for writing), so that a read that turns into a write can't
deadlock; deleted content is overwritten (`secure_delete`, RULES C7) and the write-ahead log is emptied by `forget`.
That is not enough: when SQLite parts or joins pages, it leaves copies of rows in the gaps of those pages, where
`secure_delete` doesn't reach (about one row in a thousand, as measured). So a transaction that deletes somebody raises
the file's `user_version`, and `forget` then writes the file anew.

A write session commits once, at its end, and only where no exception came out.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import CursorResult, DateTime, Engine, Float, Result, Table, create_engine, event, make_url, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import OperationalError as OperationalFailure
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession as Session

from newsletter.immediate import carry_out
from newsletter.personal import is_personal

__all__ = [
    "Database",
    "Moment",
    "Session",
    "database_seconds",
    "insert",
    "queue_engine",
    "rows_of",
    "sync_engine",
    "write_rows",
]

T = TypeVar("T")
_BUSY_SECONDS = 20
_FORGET_SECONDS = 1
# A plan that was made when a table was empty is a bad one a minute later, when half a million rows are in it.
_SERVER_SETTINGS = {"plan_cache_mode": "force_custom_plan", "jit": "off"}
# Writing the file anew takes about 1.5 s for 100,000 subscribers, and nobody else can write meanwhile: so it rests nine
# times as long as it worked.
_REST = 9
_MOST_MARKS = 2**31 - 2
_LARGE = 64 * 1024 * 1024
# 128 MB of pages, and about as much in the write-ahead log before it is worked in.
_ROOM = ("cache_size=-131072", "wal_autocheckpoint=32768")
_OLDER_TRANSACTIONS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_xmin IS NOT NULL AND xact_start < statement_timestamp() - interval '0.5 seconds'"
)

# Set here, before any table is declared, so that migrations can name every constraint on both databases.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """A time in UTC. SQLite drops the zone of what it stores; this puts it back, and refuses a time without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give what is stored; raises ValueError for a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give what was stored, aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class database_seconds(FunctionElement[float]):  # noqa: N801 (reads as an SQL function)
    """The database's own clock in seconds since 1970, for leases: machines need not agree on the time."""

    type = Float()
    inherit_cache = True


@compiles(database_seconds, "postgresql")
def _seconds_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


@compiles(database_seconds, "sqlite")
def _seconds_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


def insert(session: Session, table: Any) -> Any:
    """Give an INSERT that knows `on_conflict_…`, in the words of the session's database."""
    return insert_of(session.get_bind().dialect.name, table)


def insert_of(dialect: str, table: Any) -> Any:
    """Give the same for the database of that name, to be made once and kept."""
    return sqlite_insert(table) if dialect == "sqlite" else postgresql_insert(table)


def rows_of(result: Result[Any]) -> int:
    """Give how many rows an UPDATE or a DELETE has changed."""
    assert isinstance(result, CursorResult)
    return int(result.rowcount)


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
    try:
        await driver.copy_records_to_table(table.name, records=records, columns=names)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        kind = next(ours for theirs, ours in _ERRORS if isinstance(error, theirs))
        raise kind(None, None, error, hide_parameters=True) from None


# COPY goes past SQLAlchemy, its errors do not: whoever waits for a database that is away knows them by their kind.
_ERRORS: tuple[tuple[type[Exception], type[DBAPIError]], ...] = (
    (asyncpg.IntegrityConstraintViolationError, IntegrityError),
    (asyncpg.DataError, DataError),
    (asyncpg.PostgresConnectionError, OperationalFailure),
    (asyncpg.InterfaceError, OperationalFailure),
    (asyncpg.PostgresError, DBAPIError),
)


def _as_stored(table: Table, name: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Give a column of the rows as SQLite's driver takes it: a time as SQLAlchemy writes it there."""
    values = [row[name] for row in rows]
    if not isinstance(table.c[name].type, Moment):
        return values
    # Written together, they happened together: most rows hold one of a few times.
    written = {at: at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") for at in set(values) if at is not None}
    return [written.get(at) for at in values]


def _set_pragmas(connection: Any, *, foreign_keys: bool) -> None:
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        "secure_delete=ON",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_sqlite(engine: Engine, *, foreign_keys: bool = True) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        _set_pragmas(connection, foreign_keys=foreign_keys)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _mark_deletions(engine: Engine) -> None:
    @event.listens_for(engine, "after_cursor_execute")
    def mark(connection: Connection, cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        if context is None or not context.isdelete or context.compiled is None or cursor.rowcount == 0:
            return
        table = context.compiled.statement.table
        if isinstance(table, Table) and is_personal(table):
            marked = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            connection.exec_driver_sql(f"PRAGMA user_version={marked % _MOST_MARKS + 1}")


def sync_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """Give a synchronous engine on the same database, with the same rules: for migrations."""
    if url.startswith("sqlite"):
        Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, hide_parameters=True)
        _prepare_sqlite(engine, foreign_keys=foreign_keys)
        return engine
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True)


def queue_engine(url: str) -> Engine:
    """Give the engine of the job queue, which begins its transactions itself."""
    if not url.startswith("sqlite"):
        return sync_engine(url)
    engine = create_engine(url, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        _set_pragmas(connection, foreign_keys=True)

    return engine


class Database:
    """An open database. Make it inside the running event loop, and close it there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.on_sqlite = url.startswith("sqlite")
        self._engine = _async_engine(url)
        self._plain_engine = _plain_engine(url) if self.on_sqlite else None
        self._writing = asyncio.Lock()
        self._rest_until = 0.0
        self._rewriting: Any = None
        self._sessions = async_sessionmaker(self._engine, class_=Session, expire_on_commit=False)
        self._readers = async_sessionmaker(
            self._engine.execution_options(read_only=True), class_=Session, expire_on_commit=False
        )

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        """Give a session that commits at its end, once, and rolls back where an exception comes out."""
        if not self.on_sqlite:
            async with self._sessions.begin() as session:
                yield session
            return
        # SQLite has one writer: waiting in line here is cheaper than polling for its lock.
        async with self._writing, self._sessions.begin() as session:
            yield session

    async def write_at_once(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Do `work`, which must wait for nothing but its session, as `write` would; on SQLite in a thread, as a whole.

        A transaction in a thread can't be cancelled half-way: whoever is cancelled meanwhile waits for its end.
        """
        if self._plain_engine is None:
            async with self.write() as session:
                return await work(session)
        async with self._writing:
            errand = asyncio.ensure_future(asyncio.to_thread(carry_out, self._plain_engine, work))
            try:
                return await asyncio.shield(errand)
            finally:
                if not errand.done():
                    await asyncio.wait((errand,))

    async def make_room(self) -> None:
        """Let what is written at once keep many pages in memory, for a program that writes a million rows and ends.

        With random ids each row touches pages of its own in every index: SQLite would read and write them again and
        again.
        """

        async def widen(session: Session) -> None:
            for pragma in _ROOM:
                await session.execute(text(f"PRAGMA {pragma}"))

        if self.on_sqlite:
            await self.write_at_once(widen)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """Give a session that only reads; nothing done in it is kept."""
        async with self._readers() as session:
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Session]:
        """Give a session that only reads, and sees everything as it was at its first look."""
        async with self.read() as session:
            if not self.on_sqlite:
                await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    async def forget(self, *, briefly: bool = False) -> bool:
        """On SQLite, take the bytes of deleted people out of the raw files (RULES C7); say whether that was done.

        Where somebody was deleted the file is written anew, then the write-ahead log is folded into it and emptied.
        A reader that is busy just then delays it to the next call, and so does a large file that was written anew
        a moment ago. `briefly`, for the moment of stopping, leaves a large file to the next start.
        """
        if not self.on_sqlite:
            return True
        async with self._writing, self._engine.connect() as connection:
            # Not within a transaction of SQLAlchemy's: neither can run in one.
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.execute(f"PRAGMA busy_timeout={_FORGET_SECONDS * 1000}")
            try:
                clean = await self._write_anew(driver, briefly=briefly)
                return await _ask(driver, "wal_checkpoint(TRUNCATE)") == 0 and clean
            finally:
                await driver.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")

    async def forget_later(self) -> None:
        """Break off a `forget` that is writing the file anew: whoever stops can't wait for a large one."""
        if self._rewriting is not None:
            await self._rewriting.interrupt()

    async def _write_anew(self, driver: Any, *, briefly: bool) -> bool:
        marked = await _ask(driver, "user_version")
        if not marked:
            return True
        size = await _ask(driver, "page_count") * await _ask(driver, "page_size")
        ticking = asyncio.get_running_loop().time
        began = ticking()
        if size > _LARGE if briefly else began < self._rest_until:
            return False
        await driver.execute(f"PRAGMA temp_store={'FILE' if size > _LARGE else 'MEMORY'}")
        self._rewriting = driver
        try:
            await driver.execute("VACUUM")
            self._rest_until = ticking() + _REST * (ticking() - began)
            return await _take_back(driver, marked)
        except OperationalError:
            return False  # Another process writes just now, or `forget_later` broke it off.
        finally:
            self._rewriting = None
            await driver.execute("PRAGMA temp_store=MEMORY")

    async def rewrite(self, table: Table) -> bool:
        """On PostgreSQL, write a table anew, without what was deleted from it; say whether that was done.

        Nobody waits for us longer than a second where the table is in use, or where a transaction goes on that may
        still see what was deleted: then it is left to the next time.
        """
        async with self._engine.connect() as connection:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            if (await plain.execute(_OLDER_TRANSACTIONS)).scalar_one():
                return False
            await plain.execute(text(f"SET lock_timeout = '{_FORGET_SECONDS}s'"))
            try:
                await plain.execute(text(f"VACUUM (FULL) {plain.dialect.identifier_preparer.format_table(table)}"))
            except DBAPIError:
                return False
            finally:
                await plain.execute(text("RESET lock_timeout"))
        return True

    async def ping(self) -> None:
        """Ask the database for a sign of life; raises where it has none."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
        if self._plain_engine is not None:
            await asyncio.to_thread(self._plain_engine.dispose)


async def _take_back(driver: Any, marked: int) -> bool:
    """Take the mark back, unless another process has deleted somebody since; say whether it was."""
    await driver.execute("BEGIN IMMEDIATE")
    if unchanged := await _ask(driver, "user_version") == marked:
        await driver.execute("PRAGMA user_version=0")
    await driver.execute("COMMIT")
    return unchanged


async def _ask(driver: Any, pragma: str) -> int:
    cursor = await driver.execute(f"PRAGMA {pragma}")
    row = await cursor.fetchone()
    await cursor.close()
    return int(row[0])


def _plain_engine(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"check_same_thread": False})
    _prepare_sqlite(engine)
    _mark_deletions(engine)
    return engine


def _async_engine(url: str) -> AsyncEngine:
    if url.startswith("sqlite"):
        engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:", 1), hide_parameters=True)
        _prepare_sqlite(engine.sync_engine)
        _mark_deletions(engine.sync_engine)
        return engine
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=10,
        connect_args={"server_settings": _SERVER_SETTINGS},
    )
