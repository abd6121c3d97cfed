"""A row of the table: what was measured, beside what, what was to be reached, and whether it was. Pure.

Each side is the median of its rounds, and the ratio is that of the two medians.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for the ratio to the peer, or for the value itself where `of_value`."""

    bound: float
    at_least: bool = True
    of_value: bool = False

    def reached(self, figure: float) -> bool:
        """Say whether a ratio (or a value) is good enough."""
        return figure >= self.bound if self.at_least else figure <= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """One line: our rounds and the peer's, in `unit`. `details` are further medians, told but not judged."""

    benchmark: str
    what: str
    peer: str
    unit: str
    ours: Sequence[float]
    theirs: Sequence[float] = ()
    goal: Goal | None = None
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """Give the median of our rounds."""
        return median(self.ours)

    @property
    def peer_value(self) -> float | None:
        """Give the median of the peer's rounds, None where there is no peer."""
        return median(self.theirs) if self.theirs else None

    @property
    def ratio(self) -> float | None:
        """Give how many times the peer's median ours is."""
        return self.value / peer if (peer := self.peer_value) else None

    @property
    def range(self) -> tuple[float, float] | None:
        """Give the lowest and the highest ratio of a round to the peer's same round."""
        ratios = [mine / other for mine, other in zip(self.ours, self.theirs, strict=False) if other]
        return (min(ratios), max(ratios)) if ratios else None

    @property
    def reached(self) -> bool | None:
        """Say whether the goal was reached; None where there is none."""
        if self.goal is None:
            return None
        figure = self.value if self.goal.of_value else self.ratio
        return figure is not None and self.goal.reached(figure)


def number(value: float) -> str:
    """Give a number as people read it: three digits that count, thousands parted."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def goal_words(row: Row) -> str:
    """Give the goal in signs: "≥ 1.00 ×", or with the row's unit where it is about the value itself."""
    if row.goal is None:
        return ""
    sign = "≥" if row.goal.at_least else "≤"
    return f"{sign} {number(row.goal.bound)} {row.unit if row.goal.of_value else '×'}"


def verdict(row: Row) -> str:
    """Give "reached", "not reached", or nothing where there is no goal."""
    return {True: "reached", False: "not reached", None: ""}[row.reached]
