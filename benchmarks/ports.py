"""Ports and patience: where servers listen, and waiting until they do."""

import socket
from collections.abc import Callable
from threading import Event

from benchmarks.processes import CLOCK

_POLL_SECONDS = 0.02


def free_port() -> int:
    """Give a port of 127.0.0.1 on which nobody listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], bool], seconds: float, what: str, poll: float = _POLL_SECONDS) -> None:
    """Wait until something holds. Raises TimeoutError, naming `what`, where it does not in time."""
    until = CLOCK.monotonic() + seconds
    while not condition():
        if CLOCK.monotonic() > until:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")
        Event().wait(poll)


def listens(port: int) -> bool:
    """Say whether somebody listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
