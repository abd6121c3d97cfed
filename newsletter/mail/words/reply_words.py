"""What may be kept of a reply's text: the everyday words of mail servers, and nothing that could be about somebody.

A reply may repeat the address in any spelling, the person's name, or links and numbers that lead to them (RULES C7). No
pattern finds all of that. So it is read the other way round: what stays is a word of `VOCABULARY` that stands by itself
and holds no piece of the recipient's address; whatever else is there becomes "…". What stays is lower case, so that
replies that say the same count as the same.
"""

import re
import unicodedata
from importlib import resources

LONGEST = 200
LEFT_OUT = "…"
# What a server has to say stands at the beginning, and a reply may have 32 KB.
_READ = 2000
_SHORTEST_PIECE = 3

_WORDS = resources.files("newsletter.mail.words") / "reply_words.txt"
VOCABULARY = frozenset(_WORDS.read_text(encoding="ascii").split())
"""Said by servers of everybody. A word that is also a name (`will`, `may`) tells nothing: it is said either way."""

_CODE = re.compile(r"^\s*#?[245]\.\d{1,3}\.\d{1,3}\b", re.MULTILINE)
_QUOTED_ADDRESS = re.compile(r"\"[^\"]*\"@\S*|<[^<>]*>")
_EDGES = ".,;:!?()[]{}<>\"'`*=-–—"
_JOINS = re.compile(r"[-/,;:]+")
_LETTERS = re.compile(r"[^\W\d_]+")


def kept_of(text: str, recipient: str) -> str:
    """Give what may be kept of a reply's text, at most `LONGEST` characters; empty where no word of it may.

    `recipient` is the address that the reply is about.
    """
    whole, pieces = _pieces(recipient)
    plain = _QUOTED_ADDRESS.sub(" @ ", _CODE.sub(" ", _beginning(text)))
    kept: list[str] = []
    for chunk in _plain(plain).split():
        words = [word for word in _JOINS.split(chunk.strip(_EDGES)) if word]
        known = all(word in VOCABULARY and word != whole and not _holds(word, pieces) for word in words)
        kept += words if known else [LEFT_OUT] * (kept[-1:] != [LEFT_OUT])
    return _shortened(kept) if any(word != LEFT_OUT for word in kept) else ""


def _beginning(text: str) -> str:
    """Give as much as is read, up to the end of a word: half a word could pass for another one."""
    if len(text) <= _READ:
        return text
    return "".join(text[:_READ].rpartition(" ")[:2])


def _plain(text: str) -> str:
    """Give the text as it is compared: in one spelling, whatever the case and the width of its letters."""
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("e-mail", "email")


def _pieces(recipient: str) -> tuple[str, frozenset[str]]:
    """Give the local part, and the runs of letters in it that are long enough to tell of somebody."""
    local = _plain(recipient.rpartition("@")[0])
    return local, frozenset(run for run in _LETTERS.findall(local) if len(run) >= _SHORTEST_PIECE)


def _holds(word: str, pieces: frozenset[str]) -> bool:
    return any(piece in word for piece in pieces)


def _shortened(words: list[str]) -> str:
    text = " ".join(words)
    if len(text) <= LONGEST:
        return text
    cut = text[: LONGEST - 1].rpartition(" ")[0].removesuffix(LEFT_OUT)
    return f"{cut.rstrip()} {LEFT_OUT}"
