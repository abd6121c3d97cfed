"""The demonstration in a process of its own, as somebody runs it who tries the product out."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.ports import free_port
from tests.support.waiting import eventually

_READY_SECONDS = 120
_STOP_SECONDS = 10


class Demonstration:
    """`newsletter demo` on a port of its own, with a short hold."""

    def __init__(self, folder: Path, hold: int) -> None:
        port = free_port()
        self.base_url = f"http://localhost:{port}"
        self._file = folder / "printed"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        with self._file.open("wb") as printed:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "newsletter", "demo", "--port", str(port), "--hold", str(hold)],
                cwd=folder,
                env=inherited | {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )

    @property
    def printed(self) -> str:
        """Give all it has written."""
        return self._file.read_text(encoding="utf-8", errors="replace")

    def is_ready(self) -> bool:
        """Say whether it answers."""
        if self._process.poll() is not None:
            raise RuntimeError(f"the demonstration ended at its start\n{self.printed}")
        try:
            return httpx.get(f"{self.base_url}/health/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        """Press Ctrl-C; give the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(_STOP_SECONDS)

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.wait()


@contextmanager
def running_demonstration(folder: Path, hold: int) -> Iterator[Demonstration]:
    """Give a demonstration that is ready; in the end it is gone."""
    running = Demonstration(folder, hold)
    try:
        eventually(running.is_ready, timeout=_READY_SECONDS, what="the start of the demonstration")
        yield running
    finally:
        running.kill()
