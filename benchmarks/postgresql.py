"""A PostgreSQL server of our own, with Debian's settings: what it commits is on the disk."""

import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.peers import program
from benchmarks.ports import free_port, wait_for
from benchmarks.processes import Process, run
from newsletter.tokens import new_id

_INITDB = "-A trust -U postgres -E UTF8 --locale=C.UTF-8"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, on which databases are made and dropped."""

    port: int
    process: Process

    def url(self, name: str) -> str:
        """Give the address of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def create(self, template: str | None = None) -> str:
        """Make a database, empty or a copy of the one named `template`; give its name."""
        name = f"bench_{new_id()}"
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        self.run(statement)
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def run(self, statement: sql.SQL | sql.Composed, database: str = "postgres") -> None:
        """Run a statement outside a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgresql() -> Iterator[Server]:
    """Give a server for as long as the block lasts. PostgreSQL refuses to run as root, so there it runs as `nobody`."""
    binaries = program("initdb").parent
    folder = Path(tempfile.mkdtemp(prefix="newsletter-bench-postgresql-"))
    someone: dict[str, Any] = {"cwd": str(folder)}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        someone |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    try:
        run([binaries / "initdb", "-D", folder / "data", *_INITDB.split()], **someone)
        port = free_port()
        where: list[str | Path] = ["-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", folder]
        process = Process([binaries / "postgres", *where], folder / "log", **someone)
        try:
            wait_for(lambda: _answers(port, process), 30, "PostgreSQL")
            yield Server(port, process)
        finally:
            # Its fast shutdown: it ends the connections instead of waiting for them.
            process.stop(signal.SIGINT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int, process: Process) -> bool:
    process.check()
    try:
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
