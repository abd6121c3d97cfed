"""What `newsletter receive --explain` prints: what each mail says, and nothing of the mail itself."""

import json
from collections.abc import Iterator
from pathlib import Path

from newsletter.bounces.reading.reading import explain


def explained(name: str, raw: bytes, *, as_json: bool) -> str:
    """Give the line for one mail: as JSON `{file, verdict, code, reason}`, else in words."""
    reading = explain(raw)
    if as_json:
        said = {"file": name, "verdict": reading.verdict, "code": reading.code, "reason": reading.reason}
        return json.dumps(said)
    code = f" ({reading.code})" if reading.code else ""
    return f"{name}: {reading.verdict}{code}: {reading.reason}"


def contents(names: tuple[str, ...]) -> Iterator[tuple[str, bytes | None]]:
    """Give the bytes of each file by its name; None where it can't be read."""
    for name in names:
        try:
            yield name, Path(name).read_bytes()
        except OSError:
            yield name, None
