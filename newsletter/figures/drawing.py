"""What every chart is drawn with: a frame, gridlines, bars and words, as text of an SVG.

Nothing here names a colour: the stylesheet colours by class, light and dark, so a strict content security policy holds.
"""

import html
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import count

WIDTH = 720.0
TOP, BOTTOM, RIGHT = 36.0, 234.0, 712.0
THINNEST = 1.5  # a bar of 1 beside one of 1,000,000 is still to be seen
CHARACTER = 6.8  # of a label's 12 units of height, how wide a character is
LABEL_EVERY = (1, 2, 3, 4, 6, 12, 24, 48, 72)


def scale(highest: int) -> range:
    """Give the values of the gridlines: at most six, round, from 0 to `highest` or a little above it."""
    steps = (digit * 10**power for power in count() for digit in (1, 2, 5))
    step = next(step for step in steps if step * 5 >= highest)
    return range(0, (max(1, -(-highest // step)) + 1) * step, step)


def gridlines(grid: range, left: float, number: Callable[[int], str]) -> Iterator[str]:
    """Give the gridlines at these values, each with its number."""
    for value in grid:
        y = BOTTOM - (BOTTOM - TOP) * value / grid[-1]
        kind = "chart-grid" if value else "chart-axis"
        yield f'<line class="{kind}" x1="{left:.1f}" y1="{y:.1f}" x2="{RIGHT:.1f}" y2="{y:.1f}"/>'
        yield text_at(left - 8, y + 4, number(value), anchor="end")


def legend(left: float, *entries: tuple[str, str]) -> Iterator[str]:
    """Give the legend: for each class what it stands for."""
    for kind, label in entries:
        yield f'<rect class="{kind}" x="{left:.1f}" y="6" width="11" height="11"/>'
        yield text_at(left + 17, 16, label)
        left += 17 + width_of(label) + 20


def width_of(text: str) -> float:
    """Give about how wide a label is."""
    return CHARACTER * sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def text_within(x: float, y: float, text: str) -> str:
    """Give a label with its middle at `x`, or as near to it as the frame lets it."""
    half = width_of(text) / 2
    return text_at(max(half, min(x, WIDTH - half)), y, text, anchor="middle")


def text_at(x: float, y: float, text: str, *, kind: str = "chart-label", anchor: str = "start") -> str:
    """Give a label."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escaped(text)}</text>'


def box(kind: str, x: float, y: float, width: float, height: float, title: str) -> str:
    """Give a bar, which says in its title what it shows."""
    place = f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"'
    return f'<rect class="{kind}" {place}><title>{escaped(title)}</title></rect>'


def nothing(sentence: str) -> str:
    """Give a picture with a sentence alone."""
    return picture(80, sentence, [text_at(WIDTH / 2, 44, sentence, anchor="middle")])


def picture(height: float, gist: str, parts: Iterable[str]) -> str:
    """Give the whole SVG, with its gist in words for whoever can't see it."""
    size = f"0 0 {WIDTH:.0f} {height:.0f}"
    start = f'<svg class="chart" viewBox="{size}" role="img" aria-label="{escaped(gist)}">'
    return f"{start}{''.join(parts)}</svg>"


def escaped(text: str) -> str:
    """Give a text as it may stand in a picture.

    Control and bidi characters could turn the rest of the picture's words around (RULES H4).
    """
    return html.escape("".join(sign for sign in text if unicodedata.category(sign)[0] != "C"))
