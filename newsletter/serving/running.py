"""Running the program: the web server, or a worker alone. A stop signal drains, and the program ends within ten
seconds.
"""

import asyncio
import gc
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn
from litestar.types import ControllerRouterHandler

from newsletter.backup.presence import present
from newsletter.errors import MisconfiguredError
from newsletter.installation import open_installation
from newsletter.logs import get_logger
from newsletter.schema import bring_up_to_date
from newsletter.serving.app import create_app
from newsletter.serving.connections import timed
from newsletter.serving.room import Room, raise_descriptors
from newsletter.settings import Settings
from newsletter.worker import Worker, check

_CLOSING_SECONDS = 1
_COLLECTOR_THRESHOLDS = (20_000, 50, 100)
_log = get_logger(__name__)
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Server(uvicorn.Server):
    """Uvicorn, but a stop signal is an order that was carried out, so the exit code is 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _STOP_SIGNALS:
                loop.remove_signal_handler(number)


def serve(
    settings: Settings, host: str, port: int, *, worker: bool, more: Sequence[ControllerRouterHandler] = ()
) -> None:
    """Serve until a stop signal comes. Raises MisconfiguredError where the program can't start as it is set up."""
    with present(settings):
        _serve(settings, host, port, worker=worker, more=more)


def _serve(settings: Settings, host: str, port: int, *, worker: bool, more: Sequence[ControllerRouterHandler]) -> None:
    check(settings)
    bring_up_to_date(settings)
    _remind(settings)
    config = uvicorn.Config(
        create_app(settings, worker=worker, more=more),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        http=timed(Room(settings.web_connections, raise_descriptors())),
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=_CLOSING_SECONDS,
    )
    server = _Server(config)
    spare_the_collector()
    # Uvicorn ends the program where it can't start; why, is in the log, and what to look at is said below.
    with suppress(SystemExit):
        server.run()
    if not server.started:
        raise MisconfiguredError(f"The program could not start on {host}:{port}: is the port in use? The log says why.")


def _remind(settings: Settings) -> None:
    """Say what an issue will lack: its foot must name who sends it (RULES G7)."""
    if missing := settings.lacking_of_the_sender():
        _log.warning("sender_incomplete", set=missing, why="every issue must name its sender")


def event_loop() -> asyncio.AbstractEventLoop:
    """Give a new event loop: uvloop's, which is nearly twice as fast, where that is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def spare_the_collector() -> None:
    """Let the garbage collector pass over what the program is made of, and look less often at what mails leave.

    It would go through hundreds of thousands of objects that never go, again and again, while mail leaves.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)


def work(settings: Settings) -> None:
    """Be a worker until a stop signal comes. Raises MisconfiguredError where it can't start as it is set up."""
    with present(settings):
        check(settings)
        bring_up_to_date(settings)
        _remind(settings)
        raise_descriptors()
        _run(settings)


def _run(settings: Settings) -> None:
    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    installation = open_installation(settings)
    try:
        worker = Worker(installation)
        await worker.start()
        spare_the_collector()
        await stop.wait()
        await worker.stop()
    finally:
        await installation.database.forget(briefly=True)
        await installation.database.close()
