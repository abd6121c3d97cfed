"""`python -m benchmarks.profile_sending`: send a mailing with one worker, and show where its time goes."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks.homes import POSTGRESQL, SQLITE, Homes
from benchmarks.mailings import send
from benchmarks.postgresql import running_postgresql
from benchmarks.sinks import running_sink

_SHOWN = 30


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--people", default=30_000, show_default=True, help="How many recipients.")
@click.option("--database", default=SQLITE, show_default=True, type=click.Choice([SQLITE, POSTGRESQL]))
@click.option("--smtp-sink", "thorough", is_flag=True, help="To smtp-sink instead of the lean sink.")
def main(people: int, database: str, *, thorough: bool) -> None:
    """Send one mailing and print the worker's profile.

    Example: python -m benchmarks.profile_sending --database postgresql
    """
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder:
        if database == SQLITE:
            profile(Homes(Path(folder), None), database, people, lean=not thorough)
            return
        with running_postgresql() as server:
            profile(Homes(Path(folder), server), database, people, lean=not thorough)


def profile(homes: Homes, database: str, people: int, *, lean: bool) -> None:
    """Send one mailing with a worker that watches itself; print what it found."""
    with homes.fresh(database, people) as home, running_sink(lean=lean) as sink:
        file = home.folder / "profile.json"
        usage = send(home, [sink], people, profile=file).usage
        found = json.loads(file.read_text(encoding="utf-8"))
    spent = ", ".join(f"{name} {seconds / people * 1e6:.0f} µs" for name, seconds in usage.cpu.items())
    click.echo(f"{people / usage.seconds:,.0f} mails/s; for each mail: {spent}\n")
    for title, name in (
        ("Time in each function itself", "own"),
        ("with what it calls", "within"),
        ("by line", "lines"),
    ):
        _show(title, found[name], found["samples"])


def _show(title: str, counts: Mapping[str, int], samples: int) -> None:
    click.echo(f"{title}:")
    for name, count in list(counts.items())[:_SHOWN]:
        click.echo(f"  {count / samples:6.1%}  {name}")
    click.echo()


if __name__ == "__main__":
    main()
