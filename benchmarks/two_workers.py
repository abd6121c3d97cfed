"""Two workers on one mailing, each with a sink of its own, beside two of smtp-source, and beside one worker.

On a machine with two processors the sinks and the database need their share of them, too: how many there are stands
with the results.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks.processes import CLOCK
from benchmarks.rounds import RATE, Figures, Run
from benchmarks.rows import Goal, Row
from benchmarks.sending import NAMES, mail_size, ours
from benchmarks.sinks import running_sink, smtp_source


def sources(people: int, size: int) -> Figures:
    """Let two of smtp-source send half of the mails each, to a sink each."""
    with running_sink() as first, running_sink() as second, ThreadPoolExecutor(2) as threads:
        began = CLOCK.monotonic()
        list(threads.map(lambda sink: smtp_source(sink, people // 2, size), (first, second)))
        return {RATE: people // 2 * 2 / (CLOCK.monotonic() - began)}


def measure(run: Run) -> list[Row]:
    """Measure on the last of the databases: two machines would share PostgreSQL."""
    people, kind = run.size(30_000, 10_000), run.databases[-1]
    size = mail_size(run, kind, people)
    sides: dict[str, Callable[[], Figures]] = {
        "two of smtp-source": partial(sources, people, size),
        "one worker": partial(ours, run, kind, people, lean=False),
        "two workers": partial(ours, run, kind, people, lean=False, workers=2),
    }
    found = run.interleave("Two workers", sides)
    two, one, peer = found["two workers"], found["one worker"], found["two of smtp-source"]
    what = f"Sending with two workers to two sinks, {NAMES[kind]}"
    details = {"processors": float(os.cpu_count() or 1)} | two.details()
    return [
        Row("two-workers", what, "two of smtp-source", "mails/s", two.of(RATE), peer.of(RATE), Goal(0.9), details),
        Row("two-workers-one", what, "one worker", "mails/s", two.of(RATE), one.of(RATE), Goal(1.5), one.details()),
    ]
