"""An issue's text or HTML as bytes with gaps, filled in for each reader by a join.

Liquid's pieces are few and simple here (see `placeholders`), so they need no template engine for each reader: a
placeholder is a gap, a condition chooses between runs of bytes. What is rarer, a filter or a comparison, is asked of
Liquid, alone.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from liquid import BoundTemplate

from newsletter.issues import placeholders
from newsletter.issues.layout import SLOT
from newsletter.issues.placeholders import PLACEHOLDERS, Piece
from newsletter.mail import gaps

Values = Mapping[str, str | None]
_NAME = "|".join(PLACEHOLDERS)
_PLACEHOLDER = re.compile(rf"\{{\{{\s*({_NAME})\s*(?:\|\s*default:\s*(?:\"([^\"]*)\"|'([^']*)')\s*)?\}}\}}")
_PRESENCE = re.compile(rf"{_NAME}")
_TRIMMING = re.compile(r"\{[{%]-|-[}%]\}")


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str


@dataclass(frozen=True, slots=True)
class _Given:
    name: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class _Asked:
    template: BoundTemplate


@dataclass(slots=True)
class _Choice:
    """Branches of a condition, the first whose test holds is taken."""

    branches: "list[tuple[Callable[[Values], bool], list[_Node]]]" = field(default_factory=list)


_Node = bytes | str | _Slot | _Given | _Asked | _Choice


class Assembly:
    """A part of an issue, ready to be filled in."""

    def __init__(self, nodes: Sequence[_Node], escape: Callable[[str], str]) -> None:
        self._nodes = nodes
        self._escape = escape

    def fill(self, values: Values, slots: Mapping[str, bytes]) -> bytes:
        """Give the part in quoted-printable; `slots` are encoded already, the values are not."""
        chunks: list[bytes] = []
        self._write(self._nodes, values, slots, chunks)
        return b"".join(chunks)

    def _write(self, nodes: Sequence[_Node], values: Values, slots: Mapping[str, bytes], chunks: list[bytes]) -> None:
        for node in nodes:
            if isinstance(node, bytes):
                chunks.append(node)
            elif isinstance(node, _Slot):
                chunks.append(slots[node.name])
            elif isinstance(node, _Given):
                chunks.append(gaps.value(self._escape(values[node.name] or node.otherwise)))
            elif isinstance(node, _Asked):
                chunks.append(gaps.value(self._escape(node.template.render(values))))
            elif isinstance(node, _Choice):
                for test, branch in node.branches:
                    if test(values):
                        self._write(branch, values, slots, chunks)
                        break


def assemble(source: str, *, markup: bool) -> Assembly | None:
    """Read a part's Liquid source, with slots in it, whose pieces have all been checked; `markup` says that it is HTML.

    Give None where it trims white space around a piece, which only Liquid itself can do.
    """
    if _TRIMMING.search(source):
        return None
    nodes = _encoded(_Reader(list(_tokens(source))).run())
    if nodes and isinstance(nodes[-1], bytes):
        # Nothing follows it, and a soft break may not be the last of all (RFC 2045 §6.7).
        nodes[-1] = nodes[-1].removesuffix(gaps.SOFT_BREAK)
    return Assembly(nodes, html.escape if markup else str)


def _tokens(source: str) -> Iterator[str | Piece | _Slot]:
    for each in placeholders.split(source):
        if isinstance(each, Piece):
            yield each
            continue
        for number, text in enumerate(each.split(SLOT)):
            if number % 2:
                yield _Slot(text)
            elif text:
                yield text


class _Reader:
    """Reads tokens into nodes; conditions nest."""

    def __init__(self, tokens: Sequence[str | Piece | _Slot]) -> None:
        self._tokens = tokens
        self._position = 0

    def run(self) -> list[_Node]:
        """Read up to the end, or to the tag that ends the branch."""
        nodes: list[_Node] = []
        while self._position < len(self._tokens):
            token = self._tokens[self._position]
            if not isinstance(token, Piece):
                nodes.append(token)
            elif not token.tag:
                nodes.append(_output(token))
            elif token.tag in placeholders.OPENING:
                nodes.append(self._choice(token))
            else:
                return nodes
            self._position += 1
        return nodes

    def _choice(self, opening: Piece) -> _Choice:
        choice = _Choice()
        test = _test(opening.argument, negated=opening.tag == "unless")
        while True:
            self._position += 1
            choice.branches.append((test, self.run()))
            closing = self._tokens[self._position]
            assert isinstance(closing, Piece)
            if closing.tag in placeholders.OPENING.values():
                return choice
            test = _test(closing.argument) if closing.tag == "elsif" else _always


def _output(piece: Piece) -> _Given | _Asked:
    if simple := _PLACEHOLDER.fullmatch(piece.source):
        return _Given(simple[1], simple[2] or simple[3] or "")
    return _Asked(placeholders.TEXT.from_string(piece.source))


def _test(condition: str, *, negated: bool = False) -> Callable[[Values], bool]:
    if _PRESENCE.fullmatch(condition):
        return lambda values: (values[condition] is not None) is not negated
    template = placeholders.TEXT.from_string(f"{{% if {condition} %}}1{{% endif %}}")
    return lambda values: bool(template.render(values)) is not negated


def _always(_: Values) -> bool:
    return True


def _encoded(nodes: Sequence[_Node]) -> list[_Node]:
    """Encode the texts. The last one of a branch ends in a soft break too, for something always follows it."""
    encoded: list[_Node] = []
    for node in nodes:
        if isinstance(node, str):
            encoded.append(gaps.constant(node))
        elif isinstance(node, _Choice):
            encoded.append(_Choice([(test, _encoded(branch)) for test, branch in node.branches]))
        else:
            encoded.append(node)
    return encoded
