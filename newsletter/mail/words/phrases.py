"""The phrases by which replies and mails are recognised, from text files: a pattern a line, in named sections.

Texts and patterns are folded alike, so that patterns need neither upper case nor accents.
"""

import re
import unicodedata
from importlib import resources

# What a mailbox and a person are called, in the languages of the patterns.
_NAMES = {
    "{BOX}": (
        "mail ?box|mail ?drop|in-?box|account|postfach|postkass(?:en?|a)|postboks(?:en)?|innboks(?:en)?|brevladan?"
        r"|inkorg(?:en)?|boite(?: aux lettres| de reception)?|buzon|casella|caixa|recipient|user|destinat\w+|folder"
        r"|maildir|skrzynk\w+|postvak"
    ),
    "{PERSON}": (
        "user|recipient|mail ?box|account|address(?:ee)?|customer|alias|person|subscriber|e-?mail(?: address| account)?"
    ),
}
_LONGEST = 4000
# Letters that Unicode doesn't take apart.
_STROKES = str.maketrans("łøđı", "lodi")


def folded(text: str) -> str:
    """Give the beginning of a text in lower case without accents, with one kind of blank and of apostrophe."""
    text = text[:_LONGEST].replace("’", "'").replace("‘", "'").replace("`", "'")
    return re.sub(r"\s+", " ", _without_accents(text.casefold()))


def sections(package: str, file: str) -> dict[str, re.Pattern[str]]:
    """Give the patterns of a file of phrases in a package, one for each section, in their order."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in _lines(package, file):
        if line.startswith("["):
            lines = found.setdefault(line.strip("[]"), [])
        else:
            lines.append(_named(_without_accents(line)))
    return {name: re.compile("|".join(lines)) for name, lines in found.items()}


def multiline(package: str, file: str) -> re.Pattern[str]:
    """Give the patterns of a file without sections, for texts as they are, line by line."""
    return re.compile("|".join(_lines(package, file)), re.IGNORECASE | re.MULTILINE)


def _lines(package: str, file: str) -> list[str]:
    text = (resources.files(package) / file).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("# ")]


def _named(pattern: str) -> str:
    for name, meaning in _NAMES.items():
        pattern = pattern.replace(name, f"(?:{meaning})")
    return pattern


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return plain.translate(_STROKES)
