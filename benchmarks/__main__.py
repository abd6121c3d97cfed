"""`python -m benchmarks`: measure, print the table, and keep the results."""

import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from benchmarks import (
    commands,
    hits,
    idle,
    imports,
    listener,
    loop,
    memory,
    pages,
    quiet,
    sending,
    signing,
    signups,
    starting,
    two_workers,
)
from benchmarks.homes import POSTGRESQL, SQLITE
from benchmarks.machine import machine, versions
from benchmarks.processes import CLOCK
from benchmarks.report import document, table
from benchmarks.results import Result, keep, kept
from benchmarks.rounds import Run
from benchmarks.rows import Row

BENCHMARKS: dict[str, Callable[[Run], list[Row]]] = {
    "sending": sending.measure,
    "two-workers": two_workers.measure,
    "signing": signing.measure,
    "memory": memory.measure,
    "start": starting.measure,
    "hits": hits.measure,
    "signup": signups.measure,
    "import": imports.measure,
    "listener": listener.measure,
    "pages": pages.measure,
    "quiet": quiet.measure,
    "loop": loop.measure,
    "idle": idle.measure,
    "commands": commands.measure,
}
_ROUNDS = 7


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--rounds", default=_ROUNDS, show_default=True, help="How often each side is measured.")
@click.option("--quick", is_flag=True, help="Small and once, for trying out; nothing is kept.")
@click.option("--database", type=click.Choice([SQLITE, POSTGRESQL]), help="Only on this one; then nothing is kept.")
@click.option("--redraw", is_flag=True, help="Measure nothing: write the documentation from the results that are kept.")
def main(names: tuple[str, ...], rounds: int, database: str | None, *, quick: bool, redraw: bool) -> None:
    """Measure the program beside its peers; all benchmarks where none is named.

    The results are kept in benchmarks/results, and shown in docs/performance.md. A goal that is not reached is
    told, and no error. BENCHMARKS_OLDER names the checkout of an older build, with its own .venv, to measure beside.

    Example: python -m benchmarks sending --quick
    """
    # Whoever ends it ends what it started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if redraw:
        document(kept(BENCHMARKS))
        return
    databases = (database,) if database else (SQLITE, POSTGRESQL)
    measure_all(names or tuple(BENCHMARKS), 1 if quick else rounds, databases, quick=quick)


def measure_all(names: tuple[str, ...], rounds: int, databases: tuple[str, ...], *, quick: bool) -> None:
    """Run the benchmarks one after the other, and print each one's table when it is there."""
    with (
        tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder,
        Run(Path(folder), rounds, databases, quick=quick) as run,
    ):
        for name in names:
            rows = BENCHMARKS[name](run)
            click.echo(f"{table(rows)}\n")
            if not quick and len(databases) > 1:
                keep(Result(name, f"{CLOCK.now():%Y-%m-%d}", rounds, machine(), versions(), rows))
                document(kept(BENCHMARKS))


if __name__ == "__main__":
    main()
