"""What `newsletter serve` uses while nothing happens, and how soon a letter leaves, beside an older build
(`older.py`). Both run at once, so that what slows the machine down slows both.

The older build gets an installation of its own, made by itself.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from benchmarks.homes import POSTGRESQL, SLUG
from benchmarks.mail_arrivals import Arrivals
from benchmarks.older import Older, older_build
from benchmarks.ports import free_port, wait_for
from benchmarks.processes import CLOCK, Process, cpu_seconds
from benchmarks.processes import run as run_to_end
from benchmarks.rounds import Figures, Run
from benchmarks.rows import Goal, Row
from benchmarks.sending import NAMES
from newsletter.tokens import new_id

_SETTLING = 10.0
_CPU, _MEMORY, _THREADS = "processor ms/s", "MB", "threads"
_MEDIAN, _WORST = "ms, median", "ms, worst"


@dataclass(frozen=True, slots=True)
class Build:
    """A build to measure: its `newsletter`."""

    name: str
    command: Path


@dataclass(frozen=True, slots=True)
class Served:
    """A service that runs."""

    port: int
    process: Process


@contextmanager
def _served(run: Run, kind: str, build: Build, relay: str) -> Iterator[Served]:
    """Make an installation with the build itself, and serve it."""
    folder, port = run.folder / new_id(), free_port()
    folder.mkdir()
    database = run.homes.server.create() if run.homes.server and kind == POSTGRESQL else None
    environment = {
        "PATH": "/usr/bin:/bin",
        "NEWSLETTER_DATA_DIR": str(folder / "data"),
        "NEWSLETTER_BASE_URL": f"http://127.0.0.1:{port}",
        "NEWSLETTER_SECRET_KEY": "a root secret that only the benchmarks have",
        "NEWSLETTER_SMTP_URL": relay,
    }
    if run.homes.server and database:
        environment["NEWSLETTER_DATABASE_URL"] = run.homes.server.url(database)
    try:
        new = ["new", SLUG, "--name", "Monthly", "--sender", "Example Books <monthly@example.com>"]
        run_to_end([build.command, *new], env=environment)
        with Process([build.command, "serve", "--port", str(port)], folder / "log", environment) as process:
            wait_for(partial(_ready, port, process), 60, build.name)
            yield Served(port, process)
    finally:
        if run.homes.server and database:
            run.homes.server.drop(database)


def _ready(port: int, process: Process) -> bool:
    process.check()
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _rest(run: Run, kind: str, build: Build) -> Figures:
    seconds = run.size(60, 10)
    with _served(run, kind, build, "smtp://127.0.0.1:1") as served:
        _sleep(_SETTLING)
        pid = served.process.pid
        before = cpu_seconds(pid)
        _sleep(seconds)
        used = (cpu_seconds(pid) - before) / seconds
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines())
    return {_CPU: used * 1000, _MEMORY: int(status["VmRSS"].split()[0]) / 1000, _THREADS: int(status["Threads"])}


def _sleep(seconds: float) -> None:
    threading.Event().wait(seconds)


def _letters(run: Run, kind: str, build: Build) -> Figures:
    """Sign up one after another, a moment apart; give how long each letter took from the answer to the relay."""
    with Arrivals() as arrivals, _served(run, kind, build, arrivals.url) as served:
        connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
        taken = []
        for number in range(run.size(200, 20)):
            email = f"reader{number:05}@example.com"
            connection.request(
                "POST",
                f"/api/v1/newsletters/{SLUG}/signups",
                json.dumps({"email": email, "agreed": True}),
                {"content-type": "application/json"},
            )
            connection.getresponse().read()
            answered = CLOCK.monotonic()
            taken.append((arrivals.wait_for(email) - answered) * 1000)
            # At no fixed beat, so that it falls in step with nobody's.
            _sleep(0.05 + number * 37 % 100 / 500)
        connection.close()
    return {_MEDIAN: median(taken), _WORST: max(taken)}


def measure(run: Run) -> list[Row]:
    """Measure every database; without an older build our own figures alone."""
    builds = [Build("", Path(sys.executable).with_name("newsletter"))]
    older = older_build()
    if older:
        builds.append(Build(older.name, older.command))
    return [row for kind in run.databases for row in _rows(run, kind, builds, older)]


def _rows(run: Run, kind: str, builds: list[Build], older: Older | None) -> list[Row]:
    rest = run.interleave(f"Idle, {NAMES[kind]}", {b.name: partial(_rest, run, kind, b) for b in builds}, rounds=3)
    letters = run.interleave(
        f"Letters, {NAMES[kind]}", {b.name: partial(_letters, run, kind, b) for b in builds}, rounds=1
    )
    goals = {_CPU: 0.15, _MEMORY: 0.65, _THREADS: 0.5, _MEDIAN: 1.0, _WORST: 1.0}
    peer = older.name if older else ""
    return [
        Row(
            benchmark=f"idle-{kind}-{number}",
            what=f"{what}, {NAMES[kind]}",
            peer=peer,
            unit=unit,
            ours=found[""].of(unit),
            theirs=found[peer].of(unit) if older else (),
            goal=Goal(goals[unit], at_least=False) if older else None,
        )
        for number, (what, unit, found) in enumerate((
            ("An idle `serve`: processor", _CPU, rest),
            ("An idle `serve`: resident memory", _MEMORY, rest),
            ("An idle `serve`: threads", _THREADS, rest),
            ("From a signup's answer to its letter at the relay", _MEDIAN, letters),
            ("From a signup's answer to its letter at the relay", _WORST, letters),
        ))
    ]  # fmt: skip
