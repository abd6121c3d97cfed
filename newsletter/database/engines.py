"""The engines: how each database is opened, and what SQLite is told at once.

SQLite: transactions are begun by us (`BEGIN IMMEDIATE` for writing), so that a read that turns into a write can't
deadlock; deleted content is overwritten (`secure_delete`, RULES C7), and a transaction that deletes somebody raises the
file's `user_version` for `forgetting.py`.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, create_engine, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from newsletter.personal import is_personal

BUSY_SECONDS = 20
# A plan that was made when a table was empty is a bad one a minute later, when half a million rows are in it.
_SERVER_SETTINGS = {"plan_cache_mode": "force_custom_plan", "jit": "off"}
_MOST_MARKS = 2**31 - 2


def sync_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """Give a synchronous engine on the same database, with the same rules: for migrations."""
    if url.startswith("sqlite"):
        Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, hide_parameters=True)
        _prepare_sqlite(engine, foreign_keys=foreign_keys)
        return engine
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True)


def plain_engine(url: str) -> Engine:
    """Give the engine of SQLite for whole transactions in a thread."""
    engine = create_engine(url, hide_parameters=True, connect_args={"check_same_thread": False})
    _prepare_sqlite(engine)
    _mark_deletions(engine)
    return engine


def async_engine(url: str) -> AsyncEngine:
    """Give the engine that everything else uses."""
    if url.startswith("sqlite"):
        engine = create_async_engine(
            url.replace("sqlite:", "sqlite+aiosqlite:", 1),
            hide_parameters=True,
            # Each holds a thread and pages of its own as long as the process lives; those for a moment go again.
            pool_size=3,
            max_overflow=12,
        )
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


def _set_pragmas(connection: Any, *, foreign_keys: bool) -> None:
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_SECONDS * 1000}",
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
