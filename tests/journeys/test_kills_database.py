"""The database goes away during a mailing, or the queue is wiped: nobody gets it twice, nobody is left out."""

import sqlite3
import time
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from newsletter.delivery.rules import BLOCK_SIZE
from tests.journeys.large import CONNECTIONS, begin, settings_of
from tests.support.proxy import Proxy
from tests.support.sink import Sink
from tests.support.waiting import eventually
from tests.support.workers import BY_HAND, READERS, VARIABLE, WorkerProcess, a_moment, running

DELAY = 0.01
# How long the database is out of reach.
GONE_SECONDS = 60 if BY_HAND else 3


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_the_database_is_out_of_reach(database_url: str, tmp_path: Path) -> None:
    """No more leaves than was marked beforehand, and that is written down when it is back."""
    address = make_url(database_url)
    moment, readers = a_moment(READERS, 1), READERS + BLOCK_SIZE + 1
    with Sink(tmp_path / "sink", DELAY, halt=moment) as sink, Proxy(address.port or 5432) as wire:
        proxied = address.set(port=wire.port).render_as_string(hide_password=False)
        worker = WorkerProcess(tmp_path / "data", settings_of(proxied, sink.url))
        mailing = begin(worker.environment, readers)
        with running(worker):
            sink.wait_for(moment)
            wire.cut()
            eventually(lambda: not wire.whole, what="the cut")
            sink.go_on()
            time.sleep(GONE_SECONDS)
            assert sink.taken <= moment + BLOCK_SIZE < readers, "it did not need its database"
            wire.mend()
            # After a minute without it, the queue looks for its database every minute or so.
            mailing.check(sink, CONNECTIONS, seconds=300)
            assert worker.alive


@pytest.mark.skipif(not BY_HAND, reason=f"takes a minute: set {VARIABLE}")
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_nobody_hears_that_a_commit_came_through(database_url: str, tmp_path: Path) -> None:
    """The ledger has marked a window then, of which nothing has left: nobody of it is in doubt."""
    address = make_url(database_url)
    with Sink(tmp_path / "sink", DELAY) as sink, Proxy(address.port or 5432) as wire:
        proxied = address.set(port=wire.port).render_as_string(hide_password=False)
        worker = WorkerProcess(tmp_path / "data", settings_of(proxied, sink.url))
        mailing = begin(worker.environment, READERS)
        with running(worker):
            for part in range(1, 6):
                sink.wait_for(READERS * part // 10)
                wire.cut_answer(b"COMMIT")
                eventually(lambda: not wire.whole, what="a commit")
                wire.mend()
            mailing.check(sink, 0)


def test_the_queue_is_wiped_and_its_worker_killed(database_url: str, tmp_path: Path) -> None:
    """The queue is a nudge; the ledger knows what is left (DESIGN §5)."""
    with Sink(tmp_path / "sink", DELAY) as sink:
        worker = WorkerProcess(tmp_path / "data", settings_of(database_url, sink.url))
        mailing = begin(worker.environment, READERS)
        with running(worker):
            sink.wait_for(a_moment(READERS, 1))
            worker.kill()
            assert wipe_queue(database_url) > 0
            worker.start()
            mailing.check(sink, CONNECTIONS)


@pytest.mark.skipif(not BY_HAND, reason=f"much the same as the one before: set {VARIABLE}")
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_the_queue_is_wiped_under_a_running_worker(database_url: str, tmp_path: Path) -> None:
    with Sink(tmp_path / "sink", DELAY) as sink:
        worker = WorkerProcess(tmp_path / "data", settings_of(database_url, sink.url))
        mailing = begin(worker.environment, READERS)
        with running(worker):
            sink.wait_for(a_moment(READERS, 1))
            assert wipe_queue(database_url) > 0
            mailing.check(sink, 0)


def wipe_queue(database_url: str) -> int:
    """Delete every row of every table of the queue; give how many jobs there were."""
    return wipe_file(database_url) if database_url.startswith("sqlite") else wipe_schema(database_url)


def wipe_file(database_url: str) -> int:
    with sqlite3.connect(database_url.removeprefix("sqlite:///").replace(".sqlite", "-jobs.sqlite")) as queue:
        (jobs,) = queue.execute("SELECT count(*) FROM workflow_status").fetchone()
        every = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%migrations'"
        for (name,) in queue.execute(every).fetchall():
            queue.execute(f'DELETE FROM "{name}"')
    return int(jobs)


def wipe_schema(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        counted = connection.execute("SELECT count(*) FROM dbos.workflow_status").fetchone()
        every = "SELECT tablename FROM pg_tables WHERE schemaname = 'dbos' AND tablename NOT LIKE '%migrations'"
        names = [sql.Identifier("dbos", name) for (name,) in connection.execute(every).fetchall()]
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(names)))
    assert counted is not None
    return int(counted[0])
