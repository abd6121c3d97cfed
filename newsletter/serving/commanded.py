"""What the commands `serve` and `worker` do."""

from newsletter import logs
from newsletter.serving import running
from newsletter.settings import load


def serve(host: str, port: int, *, web_only: bool) -> None:
    """Serve the pages until a stop signal comes. Raises MisconfiguredError."""
    logs.configure()
    running.serve(load(), host, port, worker=not web_only)


def work() -> None:
    """Be a worker until a stop signal comes. Raises MisconfiguredError."""
    logs.configure()
    running.work(load())
