"""The rounds of a run: every side once in each, in turn, so that what slows the machine down slows all of them."""

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Self

import click

from benchmarks.homes import POSTGRESQL, Homes
from benchmarks.postgresql import running_postgresql

Figures = Mapping[str, float]
RATE = "rate"


@dataclass(frozen=True, slots=True)
class Side:
    """What was measured of one side, round by round."""

    rounds: list[Figures]

    def of(self, name: str) -> list[float]:
        """Give one figure of each round."""
        return [figures[name] for figures in self.rounds if name in figures]

    def details(self, prefix: str = "") -> dict[str, float]:
        """Give the median of every figure but the rate."""
        names = dict.fromkeys(name for figures in self.rounds for name in figures if name != RATE)
        return {f"{prefix}{name}": median(self.of(name)) for name in names}


class Run:
    """What the benchmarks of a run share: its size, its databases, its folder."""

    def __init__(self, folder: Path, rounds: int, databases: tuple[str, ...], *, quick: bool) -> None:
        self.rounds, self.databases, self.quick = rounds, databases, quick
        self.folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start what the run needs."""
        server = self._stack.enter_context(running_postgresql()) if POSTGRESQL in self.databases else None
        self.homes = Homes(self.folder, server)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self._stack.close()

    def size(self, full: int, quick: int) -> int:
        """Give the size for a full run or one for trying out."""
        return quick if self.quick else full

    def interleave(
        self, title: str, sides: Mapping[str, Callable[[], Figures]], rounds: int | None = None
    ) -> dict[str, Side]:
        """Measure every side once a round, in turn."""
        found: dict[str, Side] = {name: Side([]) for name in sides}
        steps = [(name, measure) for _ in range(rounds or self.rounds) for name, measure in sides.items()]
        with click.progressbar(steps, label=title, file=sys.stderr, item_show_func=_name) as bar:
            for name, measure in bar:
                found[name].rounds.append(measure())
        return found


def _name(step: tuple[str, object] | None) -> str | None:
    return step[0] if step else None
