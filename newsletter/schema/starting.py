"""What a program does before it uses the database: it sees to it that the tables are those that it knows."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError

from newsletter.database import async_engine, sync_engine
from newsletter.errors import MisconfiguredError
from newsletter.schema.folder import newest
from newsletter.schema.statistics import are_kept
from newsletter.settings import Settings

T = TypeVar("T")


def bring_up_to_date(settings: Settings) -> list[str]:
    """Run the migrations that have not run yet, if any; give their names.

    Raises MisconfiguredError where the database can't be reached.
    """
    if _is_up_to_date(settings.database):
        return []
    # Alembic takes as long to load as most commands to run, and as much memory as a small worker.
    from newsletter.schema.upgrading import upgrade

    return _reaching(settings, upgrade)


def _reaching(settings: Settings, act: Callable[[str], T]) -> T:
    try:
        make_url(settings.database)
    except (ArgumentError, ValueError):
        raise MisconfiguredError(
            "NEWSLETTER_DATABASE_URL must look like postgresql://user:password@host:5432/name."
        ) from None
    try:
        return act(settings.database)
    except (OperationalError, OSError):
        raise MisconfiguredError(
            "The database can't be reached or opened; check NEWSLETTER_DATABASE_URL and NEWSLETTER_DATA_DIR."
        ) from None


def _is_up_to_date(url: str) -> bool:
    """Say whether there is nothing to do; no, where that can't be told: whoever runs the migrations says why.

    PostgreSQL is asked by the driver that everything else uses: the other one, which migrations need, is not loaded.
    """
    with suppress(Exception):
        return _asked(url) if url.startswith("sqlite") else asyncio.run(_asked_asynchronously(url))
    return False


def _asked(url: str) -> bool:
    engine = sync_engine(url)
    try:
        with engine.connect() as connection:
            # Whoever only reads waits for nobody who writes.
            return _tells(connection.execution_options(read_only=True))
    finally:
        engine.dispose()


async def _asked_asynchronously(url: str) -> bool:
    engine = async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_tells)
    finally:
        await engine.dispose()


def _tells(connection: Connection) -> bool:
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return revision == newest() and not are_kept(connection)
