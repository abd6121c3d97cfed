"""What Markdown alone can't know to be wrong in an issue.

A condition must open and close inside the same element; otherwise leaving it out would tear the HTML. Links
are the same for everyone, and nothing is loaded from elsewhere (RULES D5).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.tree import SyntaxTreeNode

from newsletter.issues.markers import Markers
from newsletter.issues.placeholders import OPENING, TAGS, Piece

_WEB = re.compile(r"https?://[^\s/?#]*\w(?:[/?#]\S*)?", re.IGNORECASE)
_MAILTO = re.compile(r"mailto:[^@\s]+@[^@\s]+", re.IGNORECASE)


@dataclass(slots=True)
class _Open:
    piece: Piece
    element: SyntaxTreeNode
    has_else: bool = False


class Inspection:
    """Collects the links of a tree, putting markers in their place, and says what is wrong with it."""

    def __init__(self, markers: Markers, pieces: Sequence[Piece]) -> None:
        self.markers = markers
        self.pieces = pieces
        self.links: list[str] = []
        self.problems: list[str] = []
        self.open: list[_Open] = []
        self.seen: set[int] = set()

    def run(self, tree: SyntaxTreeNode) -> None:
        """Walk the tree once."""
        self._walk(tree, tree)
        self.problems += [f"{each.piece.source} has no {{% {OPENING[each.piece.tag]} %}}." for each in self.open]
        self.problems += [
            f"{piece.source} stands where nothing can be filled in (a link's title or definition)."
            for number, piece in enumerate(self.pieces)
            if number not in self.seen
        ]

    def _walk(self, node: SyntaxTreeNode, element: SyntaxTreeNode) -> None:
        for child in node.children:
            if child.type == "link":
                self._link(child)
            elif child.type == "image":
                self._problem(f"The picture “{child.attrs['src']}” can't be used: an issue loads nothing from outside.")
            inner = element if child.type in ("inline", "text") or child.meta.get("bare") else child
            if not child.children and child.content:
                for number in self.markers.pieces.findall(child.content):
                    self._piece(int(number), inner)
            self._walk(child, inner)

    def _problem(self, sentence: str) -> None:
        self.problems.append(self.markers.pieces.sub(self._source, sentence))

    def _source(self, found: re.Match[str]) -> str:
        self.seen.add(int(found[1]))
        return self.pieces[int(found[1])].source

    def _link(self, node: SyntaxTreeNode) -> None:
        target = str(node.attrs["href"])
        if self.markers.pieces.search(target):
            self._problem(f"The link {target} holds a placeholder; a link must be the same for every reader.")
        elif _WEB.fullmatch(target):
            if self.open:
                self._problem(
                    f"The link {target} stands inside {self.open[-1].piece.source}; move it out, since a "
                    "link that only some readers get can give them away."
                )
            if target not in self.links:
                self.links.append(target)
            node.attrs["href"] = self.markers.link(self.links.index(target))
        elif not _MAILTO.fullmatch(target):
            self._problem(f"The link “{target}” must begin with https://, http:// or mailto:.")

    def _piece(self, number: int, element: SyntaxTreeNode) -> None:
        self.seen.add(number)
        piece = self.pieces[number]
        if piece.tag in OPENING:
            self.open.append(_Open(piece, element))
        elif piece.tag in TAGS:
            self._continue(piece, element)

    def _continue(self, piece: Piece, element: SyntaxTreeNode) -> None:
        if not self.open:
            self.problems.append(f"{piece.source} stands without an {{% if %}} before it.")
            return
        current = self.open[-1]
        if current.element is not element:
            self.problems.append(
                f"{current.piece.source} and {piece.source} must stand in the same paragraph and formatting, "
                "or each on a line of its own."
            )
        if piece.tag in OPENING.values():
            self.open.pop()
            if piece.tag != (end := OPENING[current.piece.tag]):
                self.problems.append(f"{current.piece.source} must end with {{% {end} %}}, not {piece.source}.")
        elif current.has_else:
            self.problems.append(f"{piece.source} comes after the {{% else %}} of {current.piece.source}.")
        else:
            current.has_else = piece.tag == "else"
