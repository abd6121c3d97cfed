"""The real program in a process of its own, as its owner runs it: started, asked, stopped, killed, started
again.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.ports import free_port
from tests.support.waiting import eventually

_READY_SECONDS = 120
_STOP_SECONDS = 10
_SECRET = "a root secret for the tests of the whole program"


class Program:
    """`newsletter serve` on a data folder, a port and a relay of its own. As a context manager it is started
    and ended.
    """

    def __init__(self, folder: Path, smtp_url: str, database_url: str | None = None, **settings: str) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.log_file = folder / "log"
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.environment = self._environment(smtp_url, database_url, settings)
        self.http = httpx.Client(base_url=self.base_url, trust_env=False, timeout=60)
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        self.kill()

    @property
    def log(self) -> str:
        """Give all it has written to standard output and standard error, over all its starts."""
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    @property
    def pid(self) -> int:
        """Give the id of the running process."""
        assert self._process is not None, "the program is not running"
        return self._process.pid

    def start(self) -> None:
        """Start it on the data it has, and wait until it is ready."""
        assert self._process is None, "the program is running already"
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*_COMMAND, "serve", "--port", str(self.port)],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            eventually(self._ready, timeout=_READY_SECONDS, what="the start of the program")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._last_words()}") from None

    def stop(self) -> int:
        """Ask it to stop (SIGTERM); give its exit code. AssertionError where it takes ten seconds."""
        assert self._process is not None, "the program is not running"
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _end(process)
            raise AssertionError(f"it did not stop within {_STOP_SECONDS} s\n{self._last_words()}") from None

    def kill(self) -> None:
        """End it at once (SIGKILL), whatever it is doing."""
        if self._process is not None:
            process, self._process = self._process, None
            _end(process)

    def command(self, *arguments: str, given: str = "", code: int = 0) -> str:
        """Run `newsletter ARGUMENTS` with the same settings and `given` on its standard input; give what it
        prints.

        AssertionError where it does not exit with `code`.
        """
        done = subprocess.run(
            [*_COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = f"newsletter {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        assert done.returncode == code, said
        return done.stdout

    def json(self, *arguments: str, given: str = "") -> Any:
        """Run a command with --json and give what it says."""
        return json.loads(self.command(*arguments, "--json", given=given))

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            code, self._process = self._process.returncode, None
            raise RuntimeError(f"the program ended at its start with code {code}\n{self._last_words()}")
        try:
            return self.http.get("/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _last_words(self) -> str:
        return f"--- the end of its log ---\n{self.log[-3000:]}"

    def _environment(self, smtp_url: str, database_url: str | None, settings: dict[str, str]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        ours = {
            "base_url": self.base_url,
            "data_dir": str(self.data_dir),
            "smtp_url": smtp_url,
            "rate_limits": "off",
            "controller_name": "Example Books AS",
            "controller_organisation_number": "999 999 999",
            "controller_address": "Eksempelgata 1, 0001 Oslo, Norway",
            "controller_email": "privacy@example.com",
        }
        if database_url:
            ours |= {"database_url": database_url, "secret_key": _SECRET}
        named = {f"NEWSLETTER_{name.upper()}": value for name, value in (ours | settings).items()}
        return inherited | named | {"PYTHONUNBUFFERED": "1"}


_COMMAND = (sys.executable, "-m", "newsletter")


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        # Its whole process group, so that nothing it started outlives it.
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
