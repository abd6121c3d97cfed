"""The results that are kept: a file for each benchmark, with its rounds, when and on what it ran.

So one benchmark can be measured again without the others, and what docs/performance.md shows still says what it rests
on.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.rows import Goal, Row

FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of one benchmark, the day it ran, on which machine, with which versions, in how many rounds."""

    benchmark: str
    day: str
    rounds: int
    machine: dict[str, str]
    versions: dict[str, str]
    rows: Sequence[Row]


def keep(result: Result, folder: Path = FOLDER) -> None:
    """Write a result down, in place of the benchmark's earlier one."""
    folder.mkdir(exist_ok=True)
    content = json.dumps(asdict(result), ensure_ascii=False, indent=1, default=list)
    (folder / f"{result.benchmark}.json").write_text(content + "\n", encoding="utf-8")


def kept(names: Iterable[str], folder: Path = FOLDER) -> list[Result]:
    """Give the results that are kept of these benchmarks, in this order."""
    files = (folder / f"{name}.json" for name in names)
    return [_read(json.loads(file.read_text(encoding="utf-8"))) for file in files if file.exists()]


def _read(values: dict[str, Any]) -> Result:
    rows = [Row(**row | {"goal": Goal(**row["goal"]) if row["goal"] else None}) for row in values["rows"]]
    return Result(**values | {"rows": rows})
