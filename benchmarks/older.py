"""An older build of the program to measure beside: another checkout, with an environment of its own in .venv.

The variable BENCHMARKS_OLDER names its folder. Without it, what would be measured beside it is left out.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.processes import run

VARIABLE = "BENCHMARKS_OLDER"


@dataclass(frozen=True, slots=True)
class Older:
    """An older build: its folder, its Python, its command, and what a row calls it."""

    folder: Path
    name: str

    @property
    def python(self) -> Path:
        """Give its Python."""
        return self.folder / ".venv" / "bin" / "python"

    @property
    def command(self) -> Path:
        """Give its `newsletter`."""
        return self.folder / ".venv" / "bin" / "newsletter"


def older_build() -> Older | None:
    """Give the older build that is named, None where none is. Raises click.ClickException where it can't be run."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    older = Older(Path(named).resolve(), f"an older build{_commit(Path(named))}")
    if not older.command.exists():
        raise click.ClickException(
            f"{VARIABLE} names {named}, which has no .venv/bin/newsletter: run `make setup` there."
        )
    return older


def _commit(folder: Path) -> str:
    """Give the commit of a checkout, in brackets; nothing where it is no checkout of git."""
    if not (folder / ".git").exists():
        return ""
    return f" ({run(['git', '-C', folder, 'rev-parse', '--short', 'HEAD']).printed.strip()})"
