"""The web servers under test: the real one, and Litestar's hello world on the same uvicorn."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.homes import Home
from benchmarks.ports import free_port, listens, wait_for
from benchmarks.processes import Process

_START_SECONDS = 60
_QUIETLY = ("--log-level", "warning", "--no-access-log", "--no-server-header", "--no-proxy-headers")


@dataclass(frozen=True, slots=True)
class Server:
    """A running web server."""

    port: int
    process: Process


@contextmanager
def serving(home: Home, profile: Path | None = None) -> Iterator[Server]:
    """Give `newsletter serve --web-only` on an installation; with `profile` it writes its profile there in the end."""
    port = free_port()
    with home.program(["serve", "--web-only", "--port", str(port)], profile=profile) as process:
        server = _once_it_listens(port, process)
        if profile:
            process.signal(signal.SIGUSR1)
        yield server


@contextmanager
def hello(home: Home) -> Iterator[Server]:
    """Give the peer, with an installation's database for its one row."""
    port = free_port()
    database = home.settings.database_url or f"sqlite:///{home.folder / 'bare.sqlite'}"
    with home.run(
        ["uvicorn", "benchmarks.hello:app", "--port", str(port), *_QUIETLY], {"database_url": database}
    ) as process:
        yield _once_it_listens(port, process)


def _once_it_listens(port: int, process: Process) -> Server:
    def ready() -> bool:
        process.check()
        return listens(port)

    wait_for(ready, _START_SECONDS, "the web server")
    return Server(port, process)
