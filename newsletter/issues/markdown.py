"""From an editor's Markdown to the two parts of a mail, before anything personal is filled in.

Placeholders and tags travel through Markdown as markers, plain words that no rule of Markdown touches. Both
parts are written from one tree, so that they say the same.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from newsletter.issues.inspection import Inspection
from newsletter.issues.markers import Markers
from newsletter.issues.placeholders import Piece, split
from newsletter.issues.plaintext import write_text

DEEPEST = 40  # elements within elements

_CLEANER = nh3.Cleaner(
    tags={
        "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code",
        "em", "strong", "s", "a", "table", "thead", "tbody", "tr", "th", "td",
    },
    attributes={"a": {"href"}, "ol": {"start"}, "th": {"style"}, "td": {"style"}},
    filter_style_properties={"text-align"},
    url_schemes={"http", "https", "mailto"},
    link_rel=None,
)  # fmt: skip


def _new_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # Every link is let through here and judged by the inspection, which can say what is wrong with it.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005
    return parser


_PARSER = _new_parser()


@dataclass(slots=True)
class Written:
    """An issue's content in both forms, still with markers, its links, and what is wrong with it."""

    html: str = ""
    text: str = ""
    pieces: list[Piece] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def write(body: str, markers: Markers) -> Written:
    """Write an issue's Markdown as HTML and as text; where `problems` is not empty, there is neither."""
    written = Written()
    tokens = _PARSER.parse(_marked(body, markers, written.pieces))
    if _depth(tokens) > DEEPEST:
        written.problems.append("The text is nested too deeply; use fewer lists and quotes in each other.")
        return written
    for position, token in enumerate(tokens):
        if token.type == "inline" and _is_bare(token, markers, written.pieces):
            # A tag on a line of its own governs whole paragraphs, and is none itself.
            tokens[position - 1].hidden = tokens[position + 1].hidden = True
            tokens[position - 1].meta["bare"] = True
    tree = SyntaxTreeNode(tokens)
    inspection = Inspection(markers, written.pieces)
    inspection.run(tree)
    written.links, written.problems = inspection.links, inspection.problems
    if not written.problems:
        written.html = _CLEANER.clean(_PARSER.renderer.render(tokens, _PARSER.options, {}))
        written.text = write_text(tree)
    return written


def _marked(body: str, markers: Markers, pieces: list[Piece]) -> str:
    marked = []
    for each in split(body):
        if isinstance(each, Piece):
            marked.append(markers.piece(len(pieces)))
            pieces.append(each)
        else:
            marked.append(each)
    tags = "|".join(markers.piece(number) for number, piece in enumerate(pieces) if piece.tag)
    text = "".join(marked)
    # Without blank lines around it, a tag after a list would be read as part of the last item.
    return re.sub(rf"^[ \t]*(?:(?:{tags})[ \t]*)+$", r"\n\g<0>\n", text, flags=re.MULTILINE) if tags else text


def _depth(tokens: Iterable[Token]) -> int:
    depth = deepest = 0
    for token in tokens:
        depth += token.nesting
        deepest = max(deepest, depth + _depth(token.children or ()))
    return deepest


def _is_bare(token: Token, markers: Markers, pieces: Sequence[Piece]) -> bool:
    numbers = [int(found) for found in markers.pieces.findall(token.content)]
    rest = markers.pieces.sub("", token.content)
    return bool(numbers) and not rest.strip() and all(pieces[number].tag for number in numbers)
