"""What is different between two notices, word by word, as a reader sees them: without the marks of Markdown. Pure.

Paragraphs are set against each other first, so that a new one in the middle doesn't make everything after it look
changed; then the words within those that have become others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

_markdown = MarkdownIt("commonmark", {"html": False})
# Below this share of common words two paragraphs are not one that was changed, but one gone and another new.
_ALIKE = 0.4
# Beyond it the comparison of words would take too long, and its result would be no use to a reader.
_MOST_WORDS = 2000


class Mark(StrEnum):
    """What became of a run of words."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that were added, removed or left as they were."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of both notices, or of one of them."""

    pieces: tuple[Piece, ...]

    @property
    def changed(self) -> bool:
        """Say whether anything in it is different."""
        return any(piece.mark is not Mark.SAME for piece in self.pieces)

    @property
    def before(self) -> str:
        """Give how it was; empty where it is new."""
        return "".join(piece.text for piece in self.pieces if piece.mark is not Mark.ADDED).strip()

    @property
    def after(self) -> str:
        """Give how it is now; empty where it is gone."""
        return "".join(piece.text for piece in self.pieces if piece.mark is not Mark.REMOVED).strip()

    def as_html(self, added: str, removed: str, *, spoken: bool = True) -> Markup:
        """Give it as HTML. `added` and `removed` say of such words what they are, to who can't see how they look:
        for the ear alone where `spoken`, which needs our stylesheet, else in the text.
        """
        marks = {Mark.ADDED: ("ins", added), Mark.REMOVED: ("del", removed)}
        for_the_ear = Markup('<{0}><span class="spoken">[{1}: </span>{2}<span class="spoken">]</span></{0}> ')
        marked = for_the_ear if spoken else Markup("[{1}: <{0}>{2}</{0}>] ")
        return Markup("").join(
            escape(piece.text) if piece.mark is Mark.SAME else marked.format(*marks[piece.mark], piece.text.strip())
            for piece in self.pieces
        )


def plain(text: str) -> tuple[str, ...]:
    """Give the paragraphs of a notice's Markdown as a reader sees them; a link with its target in brackets."""
    tokens = _markdown.parse(text)
    return tuple(words for token in tokens if token.type == "inline" and (words := _words_of(token.children or [])))


def _words_of(children: Sequence[Token]) -> str:
    parts: list[str] = []
    target = ""
    for child in children:
        if child.type == "link_open":
            target = str(child.attrGet("href") or "")
        elif child.type == "link_close":
            parts.append(f" ({target})")
        else:
            parts.append(" " if child.type in ("softbreak", "hardbreak") else child.content)
    return "".join(parts).strip()


@lru_cache(maxsize=16)
def compare(old: tuple[str, str], new: tuple[str, str]) -> tuple[Paragraph, ...]:
    """Give every paragraph of two notices, each given as label and text, with what is different in it."""
    return tuple(_paragraphs((old[0], *plain(old[1])), (new[0], *plain(new[1]))))


def _paragraphs(old: Sequence[str], new: Sequence[str]) -> Iterator[Paragraph]:
    for verb, first, last, begin, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if verb == "equal":
            yield from (Paragraph((Piece(Mark.SAME, each),)) for each in new[begin:end])
            continue
        yield from _changed(old[first:last], new[begin:end])


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[Paragraph]:
    """Set changed paragraphs against each other, in their order: each with the next one that is like it."""
    at = 0
    for paragraph in old:
        like = next((n for n in range(at, len(new)) if _alike(paragraph, new[n])), None)
        if like is None:
            yield Paragraph((Piece(Mark.REMOVED, paragraph),))
            continue
        yield from (Paragraph((Piece(Mark.ADDED, each),)) for each in new[at:like])
        yield Paragraph(tuple(_pieces(paragraph, new[like])))
        at = like + 1
    yield from (Paragraph((Piece(Mark.ADDED, each),)) for each in new[at:])


def _alike(old: str, new: str) -> bool:
    before, after = old.split(), new.split()
    if max(len(before), len(after)) > _MOST_WORDS:
        return False
    return SequenceMatcher(None, before, after, autojunk=False).ratio() >= _ALIKE


def _pieces(old: str, new: str) -> Iterator[Piece]:
    before, after = old.split(), new.split()
    for verb, first, last, begin, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if verb == "equal":
            yield Piece(Mark.SAME, " ".join(after[begin:end]) + " ")
            continue
        if last > first:
            yield Piece(Mark.REMOVED, " ".join(before[first:last]) + " ")
        if end > begin:
            yield Piece(Mark.ADDED, " ".join(after[begin:end]) + " ")
