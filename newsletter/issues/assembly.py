"""An issue's text or HTML as bytes with gaps, filled in for each reader by a join.

Liquid's pieces are few and simple here (see `placeholders`), so they need no template engine for each reader: a
placeholder is a gap, a condition chooses between runs of bytes. What is rarer, a filter or a comparison, is asked of
Liquid, alone. A reader's addresses differ in nothing but the tokens in them: the rest is text like any other.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial

from newsletter.issues import placeholders
from newsletter.issues.layout import SLOT, one_line
from newsletter.issues.limits import PLACEHOLDERS
from newsletter.issues.placeholders import Piece
from newsletter.issues.rendering import given
from newsletter.mail import gaps

Values = Mapping[str, str | None]
Octets = Sequence[bytes]
Own = Callable[[Values, Octets], bytes]
Node = bytes | int | Own
"""What is everybody's; the number of what is a reader's own; or what makes it of their values."""

_Escape = Callable[[str], str]
_NAME = "|".join(PLACEHOLDERS)
_PLACEHOLDER = re.compile(rf"\{{\{{\s*({_NAME})\s*(?:\|\s*default:\s*(?:\"([^\"]*)\"|'([^']*)')\s*)?\}}\}}")
_PRESENCE = re.compile(rf"{_NAME}")
_SLOT = re.compile(f"{SLOT}(.*?){SLOT}")
_TRIMMING = re.compile(r"\{[{%]-|-[}%]\}")


class Assembly:
    """Pieces in a row, ready to be filled in."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        joined = _joined(nodes)
        self._pieces = [node if isinstance(node, bytes) else b"" for node in joined]
        self._numbered = [(place, node) for place, node in enumerate(joined) if isinstance(node, int)]
        self._own = [(place, node) for place, node in enumerate(joined) if callable(node)]

    def fill(self, values: Values, octets: Octets) -> bytes:
        """Give the whole. `values` are a reader's own, as they gave them; `octets` go under the numbers as they are."""
        pieces = self._pieces.copy()
        for place, number in self._numbered:
            pieces[place] = octets[number]
        for place, own in self._own:
            pieces[place] = own(values, octets)
        return b"".join(pieces)


def _joined(nodes: Iterable[Node]) -> list[Node]:
    joined: list[Node] = []
    for node in nodes:
        if joined and isinstance(node, bytes) and isinstance(before := joined[-1], bytes):
            joined[-1] = before + node
        else:
            joined.append(node)
    return joined


def cut(text: str, tokens: Sequence[str]) -> list[str | int]:
    """Cut a text at the tokens in it: give what stands between them, and a token's number in its place."""
    sought = "|".join(re.escape(token) for token in tokens if token)
    parts = re.split(f"({sought})", text) if sought else [text]
    return [tokens.index(part) if number % 2 else part for number, part in enumerate(parts) if part]


def assemble(source: str, slots: Mapping[str, str], tokens: Sequence[str], *, markup: bool) -> list[Node] | None:
    """Read a part's Liquid source, whose pieces have all been checked; `markup` says that it is HTML.

    `slots` are what stands in its slots, with `tokens` in it that are to be left open. Give None where it trims white
    space around a piece, which only Liquid itself can do.
    """
    if _TRIMMING.search(source):
        return None
    nodes = _Reader(list(_read(source, slots, tokens)), html.escape if markup else str).run()
    if nodes and isinstance(nodes[-1], bytes):
        # Nothing follows it, and a soft break may not be the last of all (RFC 2045 §6.7).
        nodes[-1] = nodes[-1].removesuffix(gaps.SOFT_BREAK)
    return nodes


def _read(source: str, slots: Mapping[str, str], tokens: Sequence[str]) -> Iterator[str | int | Piece]:
    for each in placeholders.split(source):
        if isinstance(each, Piece):
            yield each
        else:
            yield from cut(_SLOT.sub(lambda found: slots[found[1]], each), tokens)


class _Reader:
    """Reads what was cut into nodes; conditions nest."""

    def __init__(self, parts: Sequence[str | int | Piece], escape: _Escape) -> None:
        self._parts = parts
        self._escape = escape
        self._position = 0

    def run(self) -> list[Node]:
        """Read up to the end, or to the tag that ends the branch."""
        nodes: list[Node] = []
        while self._position < len(self._parts):
            part = self._parts[self._position]
            if isinstance(part, str):
                nodes.append(gaps.piece(part))
            elif isinstance(part, int):
                nodes += (part, gaps.SOFT_BREAK)
            elif not part.tag:
                nodes.append(_output(part, self._escape))
            elif part.tag in placeholders.OPENING:
                nodes.append(self._choice(part))
            else:
                return nodes
            self._position += 1
        return nodes

    def _choice(self, opening: Piece) -> Own:
        branches: list[tuple[Callable[[Values], bool], Assembly]] = []
        test = _test(opening.argument, negated=opening.tag == "unless")
        while True:
            self._position += 1
            branches.append((test, Assembly(self.run())))
            closing = self._parts[self._position]
            assert isinstance(closing, Piece)
            if closing.tag in placeholders.OPENING.values():
                return partial(_chosen, branches)
            test = _test(closing.argument) if closing.tag == "elsif" else _always


def _chosen(branches: Sequence[tuple[Callable[[Values], bool], Assembly]], values: Values, octets: Octets) -> bytes:
    """Fill in the first branch whose test holds."""
    return next((branch.fill(values, octets) for test, branch in branches if test(values)), b"")


def _output(piece: Piece, escape: _Escape) -> Own:
    if simple := _PLACEHOLDER.fullmatch(piece.source):
        name, otherwise = simple[1], simple[2] or simple[3] or ""
        return lambda values, _: _encoded(values[name], otherwise, escape)
    template = placeholders.TEXT.from_string(piece.source)
    return lambda values, _: gaps.piece(escape(template.render(given(values))))


@lru_cache(maxsize=8192)
def _encoded(value: str | None, otherwise: str, escape: _Escape) -> bytes:
    """Encode a reader's value; the same names come again and again, so they are remembered for a while."""
    return gaps.piece(escape(one_line(value or "") or otherwise))


def _test(condition: str, *, negated: bool = False) -> Callable[[Values], bool]:
    if _PRESENCE.fullmatch(condition):
        return lambda values: bool(one_line(values[condition] or "")) is not negated
    template = placeholders.TEXT.from_string(f"{{% if {condition} %}}1{{% endif %}}")
    return lambda values: bool(template.render(given(values))) is not negated


def _always(_: Values) -> bool:
    return True
