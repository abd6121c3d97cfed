"""A restore that is killed in the middle leaves the database as it was (RULES C2)."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.agreements.traces import tombstones
from newsletter.backup import actions
from newsletter.clock import SystemClock
from newsletter.installation import Installation
from tests.agreements.leaving import People
from tests.conftest import KEYS
from tests.support.postgresql import binaries

# The place at which it is killed: the old database is about to be replaced.
_KILLED = """
import os, signal, sys
from newsletter.backup import actions, archive, postgresql_dump, sqlite_copy
from newsletter.backup.actions import Migrations
from newsletter.clock import SystemClock
from newsletter.settings import load
from newsletter.schema import upgrading
from pathlib import Path

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Cut:
    # Dies in the middle of what it reads: behind it wait the programs that it feeds.
    def __init__(self, whole): self.whole, self.read_before = whole, False
    def read(self, size):
        if self.read_before: die()
        self.read_before = True
        return self.whole.read(size // 64)

sqlite_copy.swap = die
put_back = postgresql_dump.put_back
postgresql_dump.put_back = lambda url, source, *more: put_back(url, Cut(source), *more)
migrations = Migrations(upgrading.upgrade, upgrading.revisions)
actions.restore(load(), SystemClock(), Path(sys.argv[1]), migrations, lambda done, of: None)
"""


async def test_the_old_database_is_whole(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    if database_kind == "postgresql" and (folder := binaries()):
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    settings = installation.settings.model_copy(update={"secret_key": KEYS.root.decode()})
    people = People(replace(installation, settings=settings))
    await people.open("weekly")
    for number in range(300):
        await people.agree(f"reader{number}@example.com")
    await tombstones.file_of(people.installation).begin()
    file = tmp_path / "one.newsletter"
    await asyncio.to_thread(actions.back_up, settings, SystemClock(), file, lambda _done, _of: None)
    await people.agree("later@example.com")
    before = await people.there()
    await installation.database.close()
    environment = os.environ | {
        "NEWSLETTER_DATA_DIR": str(settings.data_dir),
        "NEWSLETTER_DATABASE_URL": settings.database,
        "NEWSLETTER_SECRET_KEY": settings.secret_key,
    }
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", _KILLED, str(file)], env=environment, check=False, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    assert await people.there() == before
    assert "later@example.com" in before
