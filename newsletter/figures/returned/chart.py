"""The picture of what came back: a bar for each day, its parts by kind."""

from collections import Counter
from collections.abc import Iterator, Sequence

from babel.dates import format_date
from babel.numbers import format_decimal

from newsletter.figures.drawing import (
    BOTTOM,
    LABEL_EVERY,
    RIGHT,
    THINNEST,
    TOP,
    box,
    gridlines,
    picture,
    scale,
    text_within,
    width_of,
)
from newsletter.figures.returned.actions import Day, Kind
from newsletter.language import DEFAULT

# In the order in which they are stacked, the gravest at the bottom.
NAMES = {
    Kind.DEAD: "Dead or closed",
    Kind.FAULT: "Our own fault",
    Kind.REFUSED: "Rule or content",
    Kind.FULL: "Full or late",
    Kind.COMPLAINT: "Complained or left",
    Kind.OTHER: "Other",
}
_WIDEST_BAR = 32.0


def by_day(days: Sequence[Day]) -> str:
    """Draw what came back on each of the days, at least one of them; give the SVG. In English, as the console is.

    Its legend stands beside it on the page, for a phone shows the last days alone.
    """
    grid = scale(max(sum(day.kinds.values()) for day in days))
    left = 12 + max(width_of(_number(value)) for value in grid)
    parts = [
        *gridlines(grid, left, _number),
        *_bars(days, grid[-1], left),
        *_ticks(days, left),
    ]
    return picture(BOTTOM + 27, _gist(days), parts)


def label(day: Day) -> str:
    """Give a day as the picture names it."""
    return format_date(day.day, "d MMM", locale=DEFAULT)


def _bars(days: Sequence[Day], top: int, left: float) -> Iterator[str]:
    step = (RIGHT - left) / len(days)
    wide = min(_WIDEST_BAR, step * 0.7)
    for index, day in enumerate(days):
        y = BOTTOM
        for kind, name in NAMES.items():
            if count := day.kinds.get(kind, 0):
                height = max(THINNEST, (BOTTOM - TOP) * count / top)
                y -= height
                title = f"{label(day)}, {name.lower()}: {_number(count)}"
                yield box(f"chart-{kind}", left + step * (index + 0.5) - wide / 2, y, wide, height, title)


def _ticks(days: Sequence[Day], left: float) -> Iterator[str]:
    step = (RIGHT - left) / len(days)
    widest = max(width_of(label(day)) for day in days)
    every = next((n for n in LABEL_EVERY if n * step >= widest + 14), len(days))
    # Counted from the last one: today is what one looks for.
    for index in range(len(days) - 1, -1, -every):
        yield text_within(left + step * (index + 0.5), BOTTOM + 18, label(days[index]))


def _gist(days: Sequence[Day]) -> str:
    kinds = sum((Counter(day.kinds) for day in days), Counter[Kind]())
    gist = f"What came back from {label(days[0])} to {label(days[-1])}: {_number(kinds.total())} in all."
    if not kinds:
        return gist
    named = ", ".join(f"{NAMES[kind].lower()} {_number(kinds[kind])}" for kind in NAMES if kinds[kind])
    peak = max(days, key=lambda day: sum(day.kinds.values()))
    return f"{gist} Of these {named}. The most: {label(peak)}, with {_number(sum(peak.kinds.values()))}."


def _number(value: int) -> str:
    return format_decimal(value, locale=DEFAULT)
