"""Every table in one place, and the way a database is brought up to them.

Migrations run at each start, under a lock, so that any number of processes may start at once; a failed one leaves
nothing behind, because both databases change tables within a transaction.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlmodel import SQLModel

from newsletter import hearts
from newsletter.agreements import tables as agreements
from newsletter.agreements.notices import tables as notices
from newsletter.agreements.traces import tables as tags
from newsletter.bounces import tables as bounces
from newsletter.bounces.listener import tables as listeners
from newsletter.bounces.mailbox import tables as mailboxes
from newsletter.bounces.reports import tables as reports
from newsletter.bounces.webhooks import tables as webhooks
from newsletter.chain import tables as chain
from newsletter.database import sync_engine
from newsletter.delivery import tables as delivery
from newsletter.delivery.pace import tables as paces
from newsletter.editors import tables as editors
from newsletter.editors.audit import tables as audit
from newsletter.errors import MisconfiguredError
from newsletter.imports import tables as imports
from newsletter.issues import tables as issues
from newsletter.mail import tables as mail
from newsletter.measurement import tables as measurement
from newsletter.newsletters import processor_tables as processors
from newsletter.newsletters import tables as newsletters
from newsletter.personal import declarations
from newsletter.privacy import tables as privacy
from newsletter.renewal import tables as renewal
from newsletter.retention import rewriting_tables as rewriting
from newsletter.retention import tables as retention
from newsletter.rights.desk import tables as desk
from newsletter.rights.my import tables as rights
from newsletter.settings import Settings
from newsletter.signup import tables as signup
from newsletter.subscribers import tables as subscribers

TABLES = (
    agreements,
    audit,
    bounces,
    chain,
    delivery,
    desk,
    editors,
    hearts,
    imports,
    issues,
    listeners,
    mail,
    mailboxes,
    measurement,
    newsletters,
    notices,
    paces,
    privacy,
    processors,
    rights,
    renewal,
    reports,
    retention,
    rewriting,
    signup,
    subscribers,
    tags,
    webhooks,
)
METADATA = SQLModel.metadata
_WITH_STATISTICS = text(
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
    " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
    " AND coalesce(a.attstattarget, -1) <> 0"
)
_LOCK = 0x6E6577736C657474  # "newslett": the advisory lock that whoever migrates holds


def migrations_folder() -> Path:
    """Give the folder of the migrations: beside the package in a checkout, inside it in a wheel."""
    packaged = Path(str(resources.files("newsletter"))) / "_migrations"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parent.parent / "migrations"


def bring_up_to_date(settings: Settings) -> list[str]:
    """Run the migrations; give their names. Raises MisconfiguredError where the database can't be reached."""
    try:
        make_url(settings.database)
    except (ArgumentError, ValueError):
        raise MisconfiguredError(
            "NEWSLETTER_DATABASE_URL must look like postgresql://user:password@host:5432/name."
        ) from None
    try:
        return upgrade(settings.database)
    except (OperationalError, OSError):
        raise MisconfiguredError(
            "The database can't be reached or opened; check NEWSLETTER_DATABASE_URL and NEWSLETTER_DATA_DIR."
        ) from None


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
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            before = _current(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            if connection.dialect.name == "postgresql":
                _keep_no_statistics(connection)
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


def _keep_no_statistics(connection: Connection) -> None:
    """Let PostgreSQL keep no sample of people's data beside its tables, and forget what it has (RULES C7)."""
    wanted = {(column.table.name, column.name) for column, _ in declarations(METADATA) if not column.foreign_keys}
    for table, column, kind in connection.execute(_WITH_STATISTICS).all():
        if (table, column) in wanted:
            name = f'ALTER TABLE "{table}" ALTER COLUMN "{column}"'
            connection.execute(text(f"{name} SET STATISTICS 0"))
            # It forgets a column's sample where it is told its type, be it the one it has.
            connection.execute(text(f"{name} TYPE {kind}"))


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
