"""Workers are killed again and again, at random moments of a mailing at speed: nobody gets it twice, nobody is left
out, and each kill leaves at most the connections' worth in doubt (promise P4).

NEWSLETTER_TEST_KILLS says how often; 50 kills over 5,000 readers take some minutes.
"""

from pathlib import Path

import pytest

from newsletter.delivery.rules import BLOCK_SIZE
from tests.journeys.large import CONNECTIONS, LargeMailing, begin, settings_of
from tests.support.sink import Sink
from tests.support.workers import KILLS, READERS, WorkerProcess, a_moment, any_of, running

# A mail takes 5 ms on average: fast, and long enough for a kill to hit each stage.
DELAY = 0.01


def kill_again_and_again(workers: list[WorkerProcess], mailing: LargeMailing, sink: Sink) -> int:
    """Kill and restart some worker at KILLS random moments of the mailing; give how often that was possible."""
    kills = 0
    with running(*workers):
        # Whoever is in doubt may never arrive, and is not waited for.
        while kills < KILLS and (left := READERS - kills * CONNECTIONS - (taken := sink.taken)) > 0:
            sink.wait_for(taken + a_moment(left, KILLS - kills))
            worker = any_of(workers)
            worker.kill()
            kills += 1
            worker.start()
        mailing.finished()
    return kills


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
def test_one_worker_is_killed(database_url: str, tmp_path: Path) -> None:
    with Sink(tmp_path / "sink", DELAY) as sink:
        worker = WorkerProcess(tmp_path / "data", settings_of(database_url, sink.url))
        mailing = begin(worker.environment, READERS)
        kills = kill_again_and_again([worker], mailing, sink)
        mailing.check(sink, kills * CONNECTIONS)


def test_one_of_two_workers_is_killed_each_time(database_url: str, tmp_path: Path) -> None:
    """On PostgreSQL each has a machine of its own, and is back before the other may take what it held."""
    folders = ("one", "two") if database_url.startswith("postgresql") else ("one", "one")
    with Sink(tmp_path / "sink", DELAY) as sink:
        settings = settings_of(database_url, sink.url)
        workers = [
            WorkerProcess(tmp_path / folder, settings, tmp_path / f"{number}.log")
            for number, folder in enumerate(folders)
        ]
        mailing = begin(workers[0].environment, READERS)
        kills = kill_again_and_again(workers, mailing, sink)
        mailing.check(sink, kills * CONNECTIONS)


def test_a_stop_signal_drains(database_url: str, tmp_path: Path) -> None:
    moment = a_moment(READERS // 2, 1)
    # All its windows together are never larger than a block, so somebody is left, however fast it is.
    readers = READERS + BLOCK_SIZE
    with Sink(tmp_path / "sink", DELAY, halt=moment) as sink:
        worker = WorkerProcess(tmp_path / "data", settings_of(database_url, sink.url))
        mailing = begin(worker.environment, readers)
        with running(worker):
            sink.wait_for(moment)
            worker.terminate()
            sink.go_on()
            assert worker.ended() == 0
            assert sink.taken < readers, "it began another window"
            assert mailing.standing().delivered == sink.taken, "it did not write down all that it sent"
            worker.start()
            mailing.check(sink, 0)
