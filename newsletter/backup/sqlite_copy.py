"""A SQLite database copied while it is in use, and put in the place of another one.

The copy is made by VACUUM INTO: one snapshot, which no writer has to wait for and which holds nothing but what is in
the tables. (SQLite's backup interface copies pages, with what is left of deleted rows in their gaps, and begins anew
whenever another process writes.)
"""

import os
import shutil
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import make_url

from newsletter.backup.archive import CHUNK, Progress
from newsletter.errors import Conflict, InvalidInput

_BUSY_SECONDS = 20
_LOOK_SECONDS = 0.1
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock")


def file_of(url: str) -> Path:
    """Give the file of a SQLite URL."""
    return Path(make_url(url).database or "")


@contextmanager
def copied(url: str, folder: Path, progress: Progress) -> Iterator[tuple[IO[bytes], int]]:
    """Give a copy of the database to read, and its size. It lies in `folder` meanwhile, for its owner alone."""
    with tempfile.TemporaryDirectory(prefix=".newsletter-backup-", dir=folder) as private:
        draft = Path(private) / "copy.sqlite"
        _copy(file_of(url), draft, progress)
        with draft.open("rb") as copy:
            yield copy, draft.stat().st_size


def _copy(source: Path, draft: Path, progress: Progress) -> None:
    failed: list[sqlite3.Error] = []

    def run() -> None:
        try:
            with closing(sqlite3.connect(source, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
                connection.execute("VACUUM INTO ?", (str(draft),))
        except sqlite3.Error as error:
            failed.append(error)

    size = source.stat().st_size
    copying = threading.Thread(target=run)
    copying.start()
    while copying.is_alive():
        copying.join(_LOOK_SECONDS)
        progress(draft.stat().st_size if draft.exists() else 0, size)
    if failed:
        raise Conflict("The database can't be read just now; is there room for a copy of it?") from failed[0]


def place_beside(url: str, source: IO[bytes], size: int, progress: Progress) -> Path:
    """Write a database beside the one at `url`, owned like it; give its file. Raises InvalidInput for no database."""
    target = file_of(url)
    beside = target.with_name(f"{target.name}.restoring")
    take_away(beside)
    target.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with beside.open("wb") as file:
        _like(target if target.exists() else target.parent, beside)
        while part := source.read(CHUNK):
            file.write(part)
            done += len(part)
            progress(done, size)
    try:
        with closing(sqlite3.connect(beside)) as connection:
            sound = connection.execute("PRAGMA quick_check").fetchone()[0] == "ok"
    except sqlite3.DatabaseError:
        sound = False
    if not sound:
        take_away(beside)
        raise InvalidInput("The database in this backup is damaged; use another backup.")
    return beside


def check_revision(beside: Path, revision: str) -> None:
    """Raise InvalidInput where the schema of a database is not at this migration, or it is none of ours."""
    try:
        with closing(sqlite3.connect(beside)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.Error:
        found = []
    if found != [(revision,)]:
        raise InvalidInput("The database in this backup is not the one that its manifest tells of; use another backup.")


def swap(url: str, beside: Path) -> None:
    """Put `beside` in the place of the database at `url`, at one stroke. Raises Conflict where that is in use."""
    target = file_of(url)
    if target.exists():
        # A write-ahead log that is left behind would be taken for that of the new one.
        with closing(sqlite3.connect(target, timeout=1, isolation_level=None)) as connection:
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise Conflict("The database is in use; stop the service everywhere first, then restore.")
        for end in ("-wal", "-shm"):
            target.with_name(target.name + end).unlink(missing_ok=True)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    take_away(beside)


def take_away(beside: Path) -> None:
    """Take away a database that was put beside another one, with what belongs to it."""
    for end in _BESIDE:
        beside.with_name(beside.name + end).unlink(missing_ok=True)


def _like(model: Path, file: Path) -> None:
    """Let `file` belong to whom `model` belongs to: root may be the one who restores, but not the one who serves."""
    owner = model.stat()
    file.chmod(stat.S_IMODE(owner.st_mode) & 0o666 if model.is_file() else 0o600)
    if os.geteuid() == 0:
        shutil.chown(file, owner.st_uid, owner.st_gid)
