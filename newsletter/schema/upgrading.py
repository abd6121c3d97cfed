"""How a database is brought up to the tables of this version.

Migrations run at a start, under a lock, so that any number of processes may start at once; a failed one leaves
nothing behind, because both databases change tables within a transaction.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text

from newsletter.database import sync_engine
from newsletter.schema.folder import migrations_folder
from newsletter.schema.statistics import LOCK, keep_none


def upgrade(url: str, revision: str = "head", folder: Path | None = None) -> list[str]:
    """Bring the database at `url` up to `revision`; give the names of the migrations that this call ran.

    The migrations are the program's own, unless another `folder` of them is named.

    Safe when many processes call it at once. Foreign keys are off meanwhile: with them on, rebuilding a table on SQLite
    would silently delete the rows that hang on it.
    """
    config = Config()
    config.set_main_option("script_location", str(folder or migrations_folder()).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    engine = sync_engine(url, foreign_keys=False)
    try:
        with _lock_file(url), engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            before = _current(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            keep_none(connection)
            ran = [step.revision for step in script.iterate_revisions(_current(connection), before)]
            if connection.dialect.name == "sqlite" and connection.execute(text("PRAGMA foreign_key_check")).first():
                raise RuntimeError("a migration left rows that belong to nothing; nothing was changed")
        return list(reversed(ran))
    finally:
        engine.dispose()


def revisions() -> list[str]:
    """Give the names of all migrations this version knows."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]


def _current(connection: Connection) -> str:
    return MigrationContext.configure(connection).get_current_revision() or "base"


@contextmanager
def _lock_file(url: str) -> Iterator[None]:
    if not url.startswith("sqlite"):
        yield
        return
    path = Path(f"{make_url(url).database}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
