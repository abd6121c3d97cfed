"""The database: SQLite in the data folder, or PostgreSQL. What the features use of it is named here."""

from sqlmodel.ext.asyncio.session import AsyncSession as Session

from newsletter.database.columns import Moment, database_seconds
from newsletter.database.engines import async_engine, sync_engine
from newsletter.database.opening import Database
from newsletter.database.rows import insert, insert_of, is_away, rows_of, table_of, write_rows

__all__ = [
    "Database",
    "Moment",
    "Session",
    "async_engine",
    "database_seconds",
    "insert",
    "insert_of",
    "is_away",
    "rows_of",
    "sync_engine",
    "table_of",
    "write_rows",
]
