"""Backing up and restoring. A restored database has caught up with the tombstones before it takes the old one's place,
or, on PostgreSQL, before anybody else may use it (RULES C2).
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from newsletter import VERSION
from newsletter.agreements.proof import chaining
from newsletter.agreements.replaying import Replayed, replay_if_behind
from newsletter.agreements.traces.tombstones import file_of
from newsletter.backup import archive, postgresql_dump, reading, sqlite_copy
from newsletter.backup.archive import FORMAT, Manifest, Progress
from newsletter.backup.presence import alone, present
from newsletter.backup.returning import pause_open
from newsletter.clock import Clock
from newsletter.database import Session, sync_engine
from newsletter.errors import Conflict, InvalidInput
from newsletter.installation import open_installation
from newsletter.settings import Settings

SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass(frozen=True, slots=True)
class Migrations:
    """How a restored database is brought up to date, and which migrations this version knows."""

    upgrade: Callable[[str], object]
    known: Callable[[], Collection[str]]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: from when the backup is, what was done again, and how many mailings were paused."""

    made_at: datetime
    replayed: Replayed
    paused: int


def back_up(settings: Settings, clock: Clock, file: Path, progress: Progress) -> Manifest:
    """Write a backup of the database to `file`; the service may go on. Raises Conflict or InvalidInput.

    The root secret and the tombstones are not in it, and must not be kept beside it.
    """
    kind = _kind(settings)
    if not file.resolve().parent.is_dir():
        raise InvalidInput(f"There is no folder {file.resolve().parent}.")
    made_at = clock.now().isoformat()
    manifest = Manifest(FORMAT, made_at, VERSION, kind, _revision(settings.database))
    with present(settings):
        opened = (
            sqlite_copy.copied(settings.database, file.resolve().parent, progress)
            if kind == SQLITE
            else postgresql_dump.dumped(settings.database)
        )
        try:
            with opened as (source, size):
                archive.write(file, settings.keyring(), manifest, source, size, progress)
        except Conflict:
            raise
        except OSError as error:
            raise InvalidInput(f"{file} can't be written: {error.strerror}.") from error
        except BaseException:
            file.unlink(missing_ok=True)
            raise
    return manifest


def restore(
    settings: Settings,
    clock: Clock,
    file: Path,
    migrations: Migrations,
    progress: Progress,
    *,
    without_tombstones: bool = False,
    without_digest: bool = False,
) -> Restored:
    """Put a backup in the place of the database, all or nothing. Raises Conflict or InvalidInput, with nothing changed.

    Nobody who left since comes back, and no mailing goes on by itself. `without_tombstones` does without their file,
    where it is lost: then whoever left since the backup is back. `without_digest` takes a backup of before there were
    digests at its word.
    """
    backup = reading.read_manifest(file, settings.keyring(), without_digest=without_digest)
    manifest = backup.manifest
    _check(manifest, settings, clock, migrations)
    if not without_tombstones and not settings.tombstones.exists():
        raise Conflict(
            f"There is no file of tombstones at {settings.tombstones}: whoever left since the backup would be back. "
            "Bring it from the machine that served last, or say --without-tombstones where it is lost."
        )
    with alone(settings), reading.database_in(file, backup) as (source, size):
        if manifest.kind == POSTGRESQL:
            if postgresql_dump.others(settings.database):
                raise Conflict("Other programs use the database; stop the service everywhere first, then restore.")
            postgresql_dump.put_back(settings.database, source, size, progress, manifest.revision)
            return _catch_up(settings, clock, manifest, migrations)
        beside = sqlite_copy.place_beside(settings.database, source, size, progress)
        try:
            sqlite_copy.check_revision(beside, manifest.revision)
            aside = settings.model_copy(update={"database_url": f"sqlite:///{beside}"})
            restored = _catch_up(aside, clock, manifest, migrations)
            sqlite_copy.swap(settings.database, beside)
        finally:
            sqlite_copy.take_away(beside)
        return restored


def _catch_up(settings: Settings, clock: Clock, manifest: Manifest, migrations: Migrations) -> Restored:
    migrations.upgrade(settings.database)
    return asyncio.run(_return(settings, clock, manifest))


async def _return(settings: Settings, clock: Clock, manifest: Manifest) -> Restored:
    installation = open_installation(settings, clock)
    database = installation.database
    try:
        await file_of(installation).begin()
        entries = await file_of(installation).entries(clock.now())

        async def replay(session: Session) -> tuple[Replayed | None, int]:
            replayed = await replay_if_behind(session, installation, entries)
            return replayed, await pause_open(session)

        replayed, paused = await database.write_at_once(replay)
        async with database.write() as session:
            await chaining.note_restore(session, installation)
        # What was deleted again is to be gone from the file, too.
        await database.forget()
    finally:
        await database.close()
    return Restored(manifest.made_at, replayed or Replayed(0), paused)


def _check(manifest: Manifest, settings: Settings, clock: Clock, migrations: Migrations) -> None:
    if manifest.kind != _kind(settings):
        here = _kind(settings)
        raise Conflict(
            f"This is a backup of a {manifest.kind} database, and NEWSLETTER_DATABASE_URL names a {here} one."
        )
    if manifest.revision not in migrations.known():
        raise Conflict(
            f"This backup was made by version {manifest.version}, which is newer than this one; install that one first."
        )
    days = settings.retention_tombstones
    if manifest.made_at < clock.now() - timedelta(days=days):
        raise Conflict(
            f"This backup is of {manifest.made_at:%d %B %Y}. Tombstones are kept for {days} days "
            "(NEWSLETTER_RETENTION_TOMBSTONES), so who left before that would be back."
        )


def _kind(settings: Settings) -> str:
    return SQLITE if settings.database.startswith("sqlite") else POSTGRESQL


def _revision(url: str) -> str:
    engine = sync_engine(url)
    try:
        with engine.connect() as connection:
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    finally:
        engine.dispose()
