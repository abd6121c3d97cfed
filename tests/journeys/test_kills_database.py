"""The database goes away during a mailing, or what nudges is silent: nobody gets it twice, nobody is left out."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
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


def test_what_workers_know_of_each_other_is_wiped_and_one_is_killed(database_url: str, tmp_path: Path) -> None:
    """Hearts and bells are nudges; the ledger knows what is left (DESIGN §5)."""
    with Sink(tmp_path / "sink", DELAY) as sink:
        worker = WorkerProcess(tmp_path / "data", settings_of(database_url, sink.url))
        mailing = begin(worker.environment, READERS)
        with running(worker):
            sink.wait_for(a_moment(READERS, 1))
            worker.kill()
            wipe_hearts(database_url)
            worker.start()
            mailing.check(sink, CONNECTIONS)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_nobody_hears_a_bell(database_url: str, tmp_path: Path) -> None:
    """Whoever listens is cut off again and again: what is committed elsewhere is found by looking."""
    with Sink(tmp_path / "sink", DELAY) as sink:
        worker = WorkerProcess(tmp_path / "data", settings_of(database_url, sink.url))
        with running(worker), cut_off_listeners(database_url) as cuts:
            eventually(cuts, what="the first cut")
            mailing = begin(worker.environment, READERS)
            mailing.check(sink, 0)
            if BY_HAND:
                time.sleep(GONE_SECONDS)
            assert worker.alive


def wipe_hearts(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        with sqlite3.connect(database_url.removeprefix("sqlite:///")) as file:
            file.execute("DELETE FROM heartbeat")
        return
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM heartbeat")


@contextmanager
def cut_off_listeners(database_url: str) -> Iterator[Callable[[], int]]:
    """End every connection that listens, as soon as it does; give how many that were so far."""
    over, cuts = Event(), 0
    terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %%' AND pid <> %s"

    def cut() -> None:
        nonlocal cuts
        with psycopg.connect(database_url, autocommit=True) as connection:
            while not over.wait(0.05):
                cuts += len(connection.execute(terminate, (connection.info.backend_pid,)).fetchall())

    cutting = Thread(target=cut)
    cutting.start()
    try:
        yield lambda: cuts
    finally:
        over.set()
        cutting.join()
