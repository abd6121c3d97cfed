"""A command of the program under a profiler: the processor time of its main thread, by where it was spent.

It begins at SIGUSR1. A timer interrupts it every millisecond of processor time and notes where it is. That costs almost
nothing, so unlike with cProfile many small calls don't look dearer than they are. Time in C is put down to the line
that called it, and time of other threads (SQLite's, signing) to what the main thread does meanwhile, mostly waiting.

`python -m benchmarks.profiled FILE worker` writes what it found to FILE, in JSON, after a stop signal.
"""

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

_INTERVAL_SECONDS = 0.001
# What is always on the way: the command line, the event loop.
_WAY_IN = (
    "click/",
    "runpy",
    "asyncio/",
    "__main__",
    "benchmarks/profiled",
    "uvicorn/",
    "newsletter/cli",
    "newsletter/serving",
)


class Sampler:
    """Counts, for each sample, the line it hit and every function on the way there once."""

    def __init__(self) -> None:
        self.samples = 0
        self.lines: Counter[str] = Counter()
        self.own: Counter[str] = Counter()
        self.within: Counter[str] = Counter()

    def start(self) -> None:
        """Begin when it is told to."""
        signal.signal(signal.SIGPROF, self._note)
        signal.signal(signal.SIGUSR1, self._begin)

    def _begin(self, _number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, _INTERVAL_SECONDS, _INTERVAL_SECONDS)

    def stop(self) -> None:
        """End."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _note(self, _number: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        self.samples += 1
        self.own[_function(frame)] += 1
        self.lines[f"{_short(frame.f_code.co_filename)}:{frame.f_lineno}"] += 1
        names = set()
        step: FrameType | None = frame
        while step is not None:
            names.add(_function(step))
            step = step.f_back
        self.within.update(name for name in names if not any(way in name for way in _WAY_IN))

    def figures(self) -> dict[str, object]:
        """Give what was found."""
        tables = {"own": self.own, "within": self.within, "lines": self.lines}
        return {"samples": self.samples} | {name: dict(counts.most_common(60)) for name, counts in tables.items()}


def _function(frame: FrameType) -> str:
    return f"{frame.f_code.co_qualname} ({_short(frame.f_code.co_filename)})"


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-2:])


def main() -> None:
    """Run the command, then write the profile."""
    target, sys.argv = Path(sys.argv[1]), ["newsletter", *sys.argv[2:]]
    from newsletter.__main__ import main as program

    sampler = Sampler()
    sampler.start()
    try:
        program()
    finally:
        sampler.stop()
        target.write_text(json.dumps(sampler.figures()), encoding="utf-8")


if __name__ == "__main__":
    main()
