"""The memory of a worker: at most how much it held (VmHWM) over a mailing to 1,000,000, beside one to 10,000.

Measured once: unlike time, it hardly differs from one run to the next, and the large mailing takes minutes.
"""

from collections.abc import Callable

from benchmarks.homes import Homes
from benchmarks.mailings import send
from benchmarks.rounds import RATE, Figures, Run
from benchmarks.rows import Goal, Row
from benchmarks.sending import NAMES
from benchmarks.sinks import running_sink

PEAK = "MB"
LARGE, SMALL = 1_000_000, 10_000


def peak(homes: Homes, kind: str, people: int) -> Figures:
    """Send to so many; give the worker's peak in MB, and the rate."""
    with homes.fresh(kind, people) as home, running_sink(lean=True) as sink:
        sent = send(home, [sink], people)
    return {PEAK: sent.peak_bytes / 1e6, RATE: people / sent.usage.seconds}


def measure(run: Run) -> list[Row]:
    """Measure every database."""
    large, small = run.size(LARGE, 20_000), run.size(SMALL, 2_000)
    rows = []
    for kind in run.databases:
        sides = {f"{people:,}": _measure(run, kind, people) for people in (small, large)}
        found = run.interleave(f"Memory, {NAMES[kind]}", sides, rounds=1)
        many, few = found[f"{large:,}"], found[f"{small:,}"]
        what, peer = f"Memory of a worker over a mailing to {large:,}, {NAMES[kind]}", f"to {small:,}"
        details = {"mails/s": many.of(RATE)[0]}
        goals: tuple[tuple[str, list[float], Goal], ...] = (
            ("", few.of(PEAK), Goal(1.3, at_least=False)),
            ("-most", [], Goal(200, at_least=False, of_value=True)),
        )
        rows += [
            Row(f"memory-{kind}{name}", what, peer if theirs else "", PEAK, many.of(PEAK), theirs, goal, details)
            for name, theirs, goal in goals
        ]
    return rows


def _measure(run: Run, kind: str, people: int) -> Callable[[], Figures]:
    return lambda: peak(run.homes, kind, people)
