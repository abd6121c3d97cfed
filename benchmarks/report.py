"""What a run tells: a table on the terminal, and the table and the picture in docs/performance.md."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.picture import draw
from benchmarks.results import Result
from benchmarks.rows import Row, goal_words, number, verdict

DOCS = Path(__file__).parent.parent / "docs"
_HEAD = ("What", "Ours", "Peer", "Peer's", "Ratio", "Goal", "")
_BEGIN, _END = "<!-- Written by `make bench`; what stands here is written anew. -->", "<!-- Until here. -->"


def table(rows: Sequence[Row]) -> str:
    """Give the rows as a table in plain text, each with its details below."""
    cells = [_HEAD, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = []
    for position, line in enumerate(cells):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if position and (told := _details(rows[position - 1])):
            lines.append(f"    {told}")
    return "\n".join(lines)


def document(results: Sequence[Result], folder: Path = DOCS) -> None:
    """Put the results into docs/performance.md and its picture."""
    rows = [row for result in results for row in result.rows]
    (folder / "performance.svg").write_text(draw(rows), encoding="utf-8")
    page = folder / "performance.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    page.write_text(f"{before}{_BEGIN}\n\n{_tables(results)}\n\n{_END}{after}", encoding="utf-8")


def _tables(results: Sequence[Result]) -> str:
    if not results:
        return "Nothing has been kept yet."
    lines = ["| What | Ours | Beside | Its | Ratio | Goal | |", "|---|---:|---|---:|---:|---:|---|"]
    lines += [f"| {' | '.join(_cells(row))} |" for result in results for row in result.rows]
    lines += ["", "Where the processors' time went, in µs a mail or a request, and what else was seen:", ""]
    lines += [f"- {row.what}: {told}" for result in results for row in result.rows if (told := _details(row))]
    return "\n".join([*lines, "", *_rests_on(results)])


def _rests_on(results: Sequence[Result]) -> list[str]:
    """Say when and on what each benchmark ran; those that ran alike are named together."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for result in results:
        versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
        machine = f"{result.machine['processors']} × {result.machine['processor']}, {result.machine['memory']}"
        words = (f"{result.rounds} rounds, {result.day}", f"{machine}, {result.machine['system']}", versions)
        alike.setdefault(words, []).append(result.benchmark)
    return [f"- {', '.join(names)}: {'; '.join(words)}." for words, names in alike.items()]


def _cells(row: Row) -> tuple[str, ...]:
    peer, ratio, span = row.peer_value, row.ratio, row.range
    spread = f" ({span[0]:.2f}–{span[1]:.2f})" if span and len(row.ours) > 1 else ""
    return (
        row.what,
        f"{number(row.value)} {row.unit}",
        row.peer,
        f"{number(peer)} {row.unit}" if peer is not None else "",
        f"{ratio:.2f} ×{spread}" if ratio is not None else "",
        goal_words(row),
        verdict(row),
    )


def _details(row: Row) -> str:
    return ", ".join(f"{name} {number(value)}" for name, value in row.details.items())
