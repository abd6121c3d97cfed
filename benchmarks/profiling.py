"""`python -m benchmarks.profiling`: do one thing for a while, and show where the program's time goes meanwhile."""

import json
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import click

from benchmarks import hits, sending, signups
from benchmarks.homes import POSTGRESQL, SQLITE
from benchmarks.rounds import Figures, Run
from benchmarks.rows import number

_SHOWN = 30
_PEOPLE = 30_000
ACTS: dict[str, Callable[[Run, str, Path], Figures]] = {
    "sending": lambda run, kind, file: sending.ours(run, kind, _PEOPLE, lean=True, profile=file),
    "pixel": partial(hits.ours, clicks=False),
    "click": partial(hits.ours, clicks=True),
    "signup": signups.ours,
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("act", type=click.Choice(list(ACTS)))
@click.option("--database", default=SQLITE, show_default=True, type=click.Choice([SQLITE, POSTGRESQL]))
def main(act: str, database: str) -> None:
    """Do one of these, and print the program's profile.

    Example: python -m benchmarks.profiling sending --database postgresql
    """
    with (
        tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder,
        Run(Path(folder), 1, (database,), quick=False) as run,
    ):
        file = Path(folder) / "profile.json"
        figures = ACTS[act](run, database, file)
        found = json.loads(file.read_text(encoding="utf-8"))
    click.echo(", ".join(f"{name} {number(value)}" for name, value in figures.items()))
    for title, name in (("In itself", "own"), ("With what it calls", "within"), ("By line", "lines")):
        _show(title, found[name], found["samples"])


def _show(title: str, counts: Mapping[str, int], samples: int) -> None:
    click.echo(f"\n{title}:")
    for name, count in list(counts.items())[:_SHOWN]:
        click.echo(f"  {count / samples:6.1%}  {name}")


if __name__ == "__main__":
    main()
