"""The picture of the results: for each row a bar, and one line for all their goals. Numbers in, an SVG out.

A bar is as long as what was reached is of its goal, so that rates, seconds and memory fit one picture; far beyond
the goal it is cut. The picture brings its own colours, light and dark, because it stands alone in a document.
"""

import html
from collections.abc import Iterator, Sequence

from benchmarks.rows import Row, goal_words, number

_WIDTH, _LEFT, _UNIT, _STEP, _TOP = 1080, 420, 170, 30, 56
_MOST = 1.6
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #222 } .small { fill: #666; font-size: 12px }
.reached { fill: #2a7f62 } .missed { fill: #c77b30 } .goal { stroke: #222; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .small { fill: #999 } .reached { fill: #4bb891 } .missed { fill: #e0a05c } .goal { stroke: #ddd }
}
"""


def draw(rows: Sequence[Row]) -> str:
    """Give the picture of the rows that have a goal."""
    judged = [row for row in rows if row.goal is not None]
    height = _TOP + _STEP * len(judged) + 12
    reached = sum(1 for row in judged if row.reached)
    gist = f"{reached} of {len(judged)} goals reached"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{gist}">',
        f"<style>{_STYLE}</style>",
        f'<text x="{_LEFT + _UNIT}" y="20" text-anchor="middle">the goal</text>',
        f'<text class="small" x="{_LEFT}" y="20" text-anchor="end">{gist}; each bar is a share of its goal</text>',
        *(line for position, row in enumerate(judged) for line in _bar(row, _TOP - 18 + _STEP * position)),
        f'<line class="goal" x1="{_LEFT + _UNIT}" y1="28" x2="{_LEFT + _UNIT}" y2="{height - 8}"/>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def share(row: Row) -> float:
    """Give how much of its goal a row reached: 1 is the goal itself, more is better."""
    assert row.goal is not None
    figure = row.value if row.goal.of_value else row.ratio or 0.0
    return figure / row.goal.bound if row.goal.at_least else row.goal.bound / figure


def _bar(row: Row, y: int) -> Iterator[str]:
    length = max(1.5, min(share(row), _MOST) * _UNIT)
    kind = "reached" if row.reached else "missed"
    said = f"{number(row.value)} {row.unit}" if row.ratio is None else f"{row.ratio:.2f} ×"
    against = f" {row.peer}" if row.peer else ""
    yield f'<text x="{_LEFT - 10}" y="{y + 13}" text-anchor="end">{html.escape(row.what)}</text>'
    yield f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{length:.1f}" height="18" rx="2"/>'
    words = html.escape(f"{said}{against} ({goal_words(row)})")
    yield f'<text class="small" x="{_LEFT + _MOST * _UNIT + 10:.0f}" y="{y + 13}">{words}</text>'
