"""The recipes of `docs/operating.md`: what is advised there is what the tests run."""

import re
from pathlib import Path

_PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
_HEADING = re.compile(r"(?m)^#+ (.*)$")
_BLOCK = re.compile(r"(?ms)^```\w*\n(.*?)^```$")


def recipe(heading: str) -> list[str]:
    """Give the blocks of code under that heading, in order."""
    page = re.sub(_BLOCK, lambda found: found[0].replace("\n#", "\n\0"), _PAGE.read_text(encoding="utf-8"))
    sections = _HEADING.split(page)
    text = sections[sections.index(heading) + 1].replace("\0", "#")
    return _BLOCK.findall(text)


def files(block: str) -> dict[str, str]:
    """Give the files that a block tells of, each under a line `# /its/path`, by the names at the ends of the paths."""
    parts = re.split(r"(?m)^# (/\S+)\n", block)
    return {Path(path).name: text.strip() + "\n" for path, text in zip(parts[1::2], parts[2::2], strict=True)}
