"""What a program does before it uses the database: it sees to it that the tables are those that it knows."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

from newsletter.database import sync_engine
from newsletter.errors import MisconfiguredError
from newsletter.schema.folder import newest
from newsletter.schema.statistics import are_kept
from newsletter.settings import Settings

T = TypeVar("T")


def bring_up_to_date(settings: Settings) -> list[str]:
    """Run the migrations that have not run yet, if any; give their names.

    Raises MisconfiguredError where the database can't be reached.
    """
    if _reaching(settings, _is_up_to_date):
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
    """Say whether there is nothing to do; no, where that can't be told yet."""
    engine = sync_engine(url)
    try:
        with engine.connect() as connection:
            # Whoever only reads waits for nobody who writes.
            reading = connection.execution_options(read_only=True)
            revision = reading.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
            return revision == newest() and not are_kept(reading)
    except ProgrammingError:
        return False
    except OperationalError:
        # SQLite says with it that there is no such table, or that somebody makes the file just now.
        if url.startswith("sqlite"):
            return False
        raise
    finally:
        engine.dispose()
