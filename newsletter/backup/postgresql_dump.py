"""A PostgreSQL database dumped by pg_dump, and put back in one transaction by pg_restore and psql.

What is put back becomes true with the COMMIT that is sent last, when everything before it has come through. So
whoever is killed in the middle leaves the old database as it was. A schema that is not ours is left out.
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO

from sqlalchemy import make_url, text

from newsletter.backup.archive import CHUNK, Progress
from newsletter.database import sync_engine
from newsletter.errors import Conflict, MisconfiguredError

# Where earlier versions kept a queue, and other programs of its library still may.
_FOREIGN_SCHEMA = "dbos"
# Of a database that is newer than the backup, too: its tables are not in the dump.
_EMPTY = """BEGIN;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema() LOOP
    EXECUTE 'DROP TABLE IF EXISTS ' || name || ' CASCADE';
  END LOOP;
END $$;
"""
# The last word before the commit: it is the schema that the manifest tells of.
_CHECK = """
RESET search_path;
DO $$ BEGIN
  IF (SELECT string_agg(version_num, ' ') FROM alembic_version) IS DISTINCT FROM '{revision}' THEN
    RAISE EXCEPTION 'another revision';
  END IF;
END $$;
COMMIT;
"""


@contextmanager
def dumped(url: str) -> Iterator[tuple[IO[bytes], int]]:
    """Give a dump of the database to read, and about how large it will be. Raises Conflict where it can't be made."""
    command = [
        _tool("pg_dump"),
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        f"--exclude-schema={_FOREIGN_SCHEMA}",
    ]
    with subprocess.Popen(  # noqa: S603 (a program of PostgreSQL's, with arguments of ours)
        command, env=_environment(url), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        yield process.stdout, 0
        if process.wait():
            raise Conflict(
                "pg_dump could not read the database: check NEWSLETTER_DATABASE_URL, and that pg_dump is not older "
                "than the server (`pg_dump --version`)."
            )


def others(url: str) -> int:
    """Give how many other programs are connected to the database."""
    engine = sync_engine(url)
    try:
        with engine.connect() as connection:
            found = connection.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
            )
            return int(found.scalar_one())
    finally:
        engine.dispose()


def put_back(url: str, source: IO[bytes], size: int, progress: Progress, revision: str) -> None:
    """Replace every table by those of a dump at this migration, all or nothing. Raises Conflict where it fails."""
    environment, quiet = _environment(url), subprocess.DEVNULL
    command = [_tool("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
    reading = [_tool("pg_restore"), "--no-owner", "--no-privileges", "--file=-"]
    with (
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet) as psql,  # noqa: S603 (our own words, and no shell)
        subprocess.Popen(reading, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet) as restore,  # noqa: S603 (our own words, and no shell)
    ):
        assert psql.stdin is not None
        assert restore.stdin is not None
        assert restore.stdout is not None
        broken: list[Exception] = []
        feeding = threading.Thread(target=_feed, args=(source, restore.stdin, size, progress, broken))
        feeding.start()
        with suppress(BrokenPipeError):
            psql.stdin.write(_EMPTY.encode())
            shutil.copyfileobj(restore.stdout, psql.stdin, CHUNK)
        # If psql ended early nobody reads on: so that the others end, too.
        restore.stdout.close()
        feeding.join()
        if broken:
            raise broken[0]
        with suppress(BrokenPipeError):
            if restore.wait() == 0:
                psql.stdin.write(_CHECK.format(revision=revision).encode())
            psql.stdin.close()
        if psql.wait() or restore.returncode:
            raise Conflict(
                "The dump could not be put back, or is not what its manifest tells of, and nothing was changed. Check "
                "that pg_restore and psql are not older than the server, and that the database belongs to the "
                "user of NEWSLETTER_DATABASE_URL."
            )


def _feed(source: IO[bytes], sink: IO[bytes], size: int, progress: Progress, broken: list[Exception]) -> None:
    done = 0
    try:
        with suppress(BrokenPipeError), sink:
            while part := source.read(CHUNK):
                sink.write(part)
                done += len(part)
                progress(done, size)
    except Exception as error:
        broken.append(error)


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise MisconfiguredError(f"{name} is not installed here; it comes with PostgreSQL's client programs.")
    return found


def _environment(url: str) -> Mapping[str, str]:
    """Give how to connect, where no other user of the machine sees it: not in the arguments."""
    read = make_url(url)
    given = {
        "PGHOST": read.host,
        "PGPORT": str(read.port) if read.port else None,
        "PGUSER": read.username,
        "PGPASSWORD": read.password,
        "PGDATABASE": read.database,
    }
    options = {f"PG{name.upper()}": str(value) for name, value in read.query.items()}
    return os.environ | {name: value for name, value in given.items() if value} | options
