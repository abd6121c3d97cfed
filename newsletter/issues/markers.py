"""Words that stand for an issue's placeholders, tags and links while Markdown is parsed and sanitised."""

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Markers:
    """The markers of one issue; `stem` occurs in none of its texts."""

    stem: str

    @classmethod
    def absent_from(cls, *texts: str) -> "Markers":
        """Choose markers that cannot be mistaken for anything in `texts`."""
        plain = "\n".join(texts)
        # Markdown decodes entities and percent signs, which must not bring a marker about either.
        readings = "\n".join((plain, unescape(plain), unquote(plain), unquote(unescape(plain)))).lower()
        stem = "zq"
        while stem in readings:
            stem += "q"
        return cls(stem)

    def piece(self, number: int) -> str:
        """Give the word for the piece of that number."""
        return f"{self.stem}p{number}z"

    def link(self, number: int) -> str:
        """Give the address that stands for the link of that number."""
        return f"https://{self.stem}l{number}z"

    @property
    def pieces(self) -> re.Pattern[str]:
        """Find the words for pieces; group 1 is the number."""
        return re.compile(rf"{self.stem}p(\d+)z")

    @property
    def links(self) -> re.Pattern[str]:
        """Find the addresses for links; group 1 is the number."""
        return re.compile(rf"https://{self.stem}l(\d+)z")
