"""A machine dies, stands still beyond its lease, or has no room left: nobody gets it twice, nobody is left out."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from newsletter.database import Session
from newsletter.delivery.rules import BLOCK_SIZE, LEASE_SECONDS
from newsletter.delivery.tables import Block
from newsletter.installation import Installation
from tests.journeys.large import CONNECTIONS, act, begin, settings_of
from tests.support.sink import Sink
from tests.support.waiting import eventually
from tests.support.workers import BY_HAND, READERS, VARIABLE, WorkerProcess, a_moment, running

DELAY = 0.01
FULL = 256 * 1024


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_machine_is_lost_for_good(database_url: str, tmp_path: Path) -> None:
    """Its journal is lost with it, so as much as a block of it may be in doubt."""
    with Sink(tmp_path / "sink", DELAY) as sink:
        lost, other = (WorkerProcess(tmp_path / name, settings_of(database_url, sink.url)) for name in ("one", "two"))
        mailing = begin(lost.environment, READERS)
        with running(lost):
            sink.wait_for(a_moment(READERS, 1))
            lost.kill()
            let_leases_run_out(lost)
            other.start()
            try:
                mailing.check(sink, BLOCK_SIZE)
            finally:
                other.kill()


def let_leases_run_out(worker: WorkerProcess) -> None:
    """Turn time on until the leases of whoever is dead have run out, by moving them back."""

    async def move_back(_: Installation, session: Session) -> None:
        await session.execute(update(Block).where(col(Block.leased_until) > 0).values(leased_until=1.0))

    act(worker.environment, move_back)


@pytest.mark.skipif(not BY_HAND, reason=f"takes a minute: set {VARIABLE}")
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_worker_that_stands_still_beyond_its_lease(database_url: str, tmp_path: Path) -> None:
    """When it wakes, another has taken over, and what it still had in its hands does not leave any more."""
    with Sink(tmp_path / "sink", DELAY) as sink:
        one, two = (WorkerProcess(tmp_path / name, settings_of(database_url, sink.url)) for name in ("one", "two"))
        mailing = begin(one.environment, READERS)
        with running(one):
            sink.wait_for(a_moment(READERS, 1))
            one.freeze()
            two.start()
            try:
                time.sleep(LEASE_SECONDS + 5)
                one.thaw()
                mailing.check(sink, BLOCK_SIZE)
                assert one.alive
            finally:
                two.kill()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Give a folder with little room; skip where none can be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={FULL}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a full disk needs one to be mounted, which is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file: Path) -> None:
    """Take all the room there is."""
    with file.open("ab", buffering=0) as rest, suppress(OSError):
        while True:
            rest.write(bytes(4096))


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_the_disk_is_full(database_url: str, tmp_path: Path) -> None:
    """That is said, and the mailing goes on more slowly, or with room again at the latest."""
    moment, readers = a_moment(READERS, 1), 2 * READERS + BLOCK_SIZE
    with Sink(tmp_path / "sink", DELAY, halt=moment) as sink, small_disk(tmp_path / "small") as small:
        worker = WorkerProcess(small / "data", settings_of(database_url, sink.url), log=tmp_path / "log")
        mailing = begin(worker.environment, readers)
        with running(worker):
            sink.wait_for(moment)
            fill(small / "rest")
            sink.go_on()

            def said_so() -> bool:
                fill(small / "rest")
                return "OSError" in worker.log

            eventually(said_so)
            taken = sink.taken
            eventually(lambda: sink.taken > min(readers - 1, taken + 50) or not worker.alive)
            (small / "rest").unlink()
            if not worker.alive:
                worker.start()
            mailing.check(sink, CONNECTIONS)
