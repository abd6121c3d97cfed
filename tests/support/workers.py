"""`newsletter worker` in processes of their own, each on a machine of its own as far as it can tell: with its own data
folder. They are started, stopped, killed, frozen and thawed.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STOP_SECONDS = 10
# How many kills, and to how many readers. Small, so that the tests take no time; by hand: 50.
VARIABLE = "NEWSLETTER_TEST_KILLS"
BY_HAND = VARIABLE in os.environ
KILLS = int(os.environ.get(VARIABLE, "3"))
READERS = max(600, 100 * KILLS)


class WorkerProcess:
    """A worker with these settings (NEWSLETTER_… without the prefix, in small letters) and a data folder."""

    def __init__(self, data_dir: Path, settings: dict[str, str], log: Path | None = None) -> None:
        self.data_dir = data_dir
        self._settings = settings | {"data_dir": str(data_dir)}
        self._more: dict[str, str] = {}
        self._log = log or data_dir.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def environment(self) -> dict[str, str]:
        """Give the environment it runs in."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        return inherited | self._more | {f"NEWSLETTER_{name.upper()}": value for name, value in self._settings.items()}

    def trust(self, authority: Path) -> None:
        """Let it trust the certificates that this authority signs."""
        self._more["SSL_CERT_FILE"] = str(authority)

    @property
    def alive(self) -> bool:
        """Say whether it runs; a frozen one does."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """Give all it has logged, over all its starts."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        """Start it."""
        assert not self.alive, "it is running already"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "newsletter", "worker"],
                cwd=self.data_dir,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """End it at once (SIGKILL), whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        """Ask it to stop (SIGTERM)."""
        self._signal(signal.SIGTERM)

    def ended(self) -> int:
        """Wait until it has stopped; give its exit code. AssertionError where it takes longer than it may."""
        assert self._process is not None
        try:
            return self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not stop within {_STOP_SECONDS} s\n{self.log[-3000:]}") from None

    def freeze(self) -> None:
        """Let it stand still, in the middle of whatever it is doing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if nothing had happened."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def running(*workers: WorkerProcess) -> Iterator[None]:
    """Start the workers, and end them in the end."""
    try:
        for worker in workers:
            worker.start()
        yield
    finally:
        for worker in workers:
            worker.kill()


def a_moment(left: int, kills_left: int) -> int:
    """Give after how many more mails to kill next: a random number, so that the kills spread over all that is left."""
    return random.randint(1, max(1, 2 * left // (kills_left + 1)))  # noqa: S311 (no secret hangs on it)


def any_of(workers: list[WorkerProcess]) -> WorkerProcess:
    """Give one of them, by chance."""
    return random.choice(workers)  # noqa: S311 (no secret hangs on it)
