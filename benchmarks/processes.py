"""Processes under test: starting and ending them, and what they used, as the kernel counts it in /proc."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click

from newsletter.clock import SystemClock

_TICKS = os.sysconf("SC_CLK_TCK")
_STOP_SECONDS = 20
CLOCK = SystemClock()
_SELF = "this process"


class ProcessEnded(click.ClickException):
    """A process that was to be measured ended; its log says why."""


class Process:
    """A running program. As a context manager it is asked to stop in the end, and then made to."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        self.log = log
        with log.open("ab") as file:
            self._popen = subprocess.Popen(  # noqa: S603 (our own commands, without a shell)
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=environment,
                **more,
            )
        self.pid = self._popen.pid

    def __enter__(self) -> Self:
        """Give itself: it runs already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ask it to stop, and kill it where it does not."""
        if self._popen.poll() is None:
            self._popen.send_signal(number)
            try:
                self._popen.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._popen.send_signal(number)

    def check(self) -> None:
        """Raise ProcessEnded where it no longer runs."""
        if (code := self._popen.poll()) is not None:
            raise ProcessEnded(f"{self._popen.args!r} ended with {code}:\n{self.last_words()}")

    def last_words(self) -> str:
        """Give the end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def peak_bytes(self) -> int:
        """Give the most memory it ever held (VmHWM)."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ran to its end: how long it took, its processor time, and what it printed."""

    seconds: float
    cpu_seconds: float
    printed: str


def run(command: Sequence[str | Path], **more: Any) -> Finished:
    """Run a command to its end. Raises ProcessEnded where it fails."""
    began = CLOCK.monotonic()
    before = os.times()
    done = subprocess.run(  # noqa: S603 (our own commands, without a shell)
        [str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **more
    )
    after = os.times()
    if done.returncode:
        raise ProcessEnded(f"{command} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Finished(CLOCK.monotonic() - began, used, done.stdout)


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used between two moments: seconds, processor seconds by name, and those of everybody else here."""

    seconds: float
    cpu: Mapping[str, float]
    others: float


class Watch:
    """Measures, from its making to `stop`, what processes use: those under each name together, and a database server
    with its children.
    """

    def __init__(self, pids: Mapping[str, Sequence[int]], database: int | None = None) -> None:
        self._pids, self._database = pids, database
        self._began, self._before, self._busy = CLOCK.monotonic(), self._used(), _busy_seconds()

    def stop(self) -> Usage:
        """Give what was used since the beginning."""
        seconds, used, busy = CLOCK.monotonic() - self._began, self._used(), _busy_seconds()
        cpu = {name: used[name] - self._before[name] for name in used}
        others = max(0.0, busy - self._busy - sum(cpu.values()))
        return Usage(seconds, {name: value for name, value in cpu.items() if name != _SELF}, others)

    def _used(self) -> dict[str, float]:
        used = {name: sum(map(cpu_seconds, pids)) for name, pids in self._pids.items()}
        if self._database is not None:
            used["database"] = cpu_seconds(self._database, family=True)
        return used | {_SELF: cpu_seconds(os.getpid())}


def cpu_seconds(pid: int, *, family: bool = False) -> float:
    """Give the processor time of a process; with `family` also of its children, those that have ended too."""
    fields = _stat(pid)
    ticks = sum(int(part) for part in fields[11 : 15 if family else 13])
    if family:
        children = (stat for stat in map(_stat, _everybody()) if stat and int(stat[1]) == pid)
        ticks += sum(int(stat[11]) + int(stat[12]) for stat in children)
    return ticks / _TICKS


def _stat(pid: int) -> list[str]:
    """Give the fields behind the name: state, parent and so on; nothing where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _everybody() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]


def _busy_seconds() -> float:
    """Give for how long the machine's processors have worked since it was started."""
    fields = [int(part) for part in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _waiting, interrupts, soft, stolen = fields[:8]
    return (user + nice + system + interrupts + soft + stolen) / _TICKS
