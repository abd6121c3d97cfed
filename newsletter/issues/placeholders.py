"""What an editor may leave open in an issue: {{ given_name }} and {% if employer %}...{% endif %}.

The language is a small piece of Liquid. Each piece is checked alone, so that all problems are told at once
and in the editor's own words; what passes can be filled in for anyone and never fails. Values are data: they
are put in after everything has been parsed, so nothing in them is read as Liquid, Markdown or HTML.
"""

import difflib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from liquid import Environment, RenderContext
from liquid.builtin.output import Output, OutputNode
from liquid.exceptions import LiquidError, OutputStreamLimitError
from liquid.stringify import to_liquid_string
from liquid.token import TOKEN_CONTENT, TOKEN_ILLEGAL, TOKEN_OUTPUT

from newsletter.issues.limits import PLACEHOLDERS

FILTERS = ("default", "capitalize", "upcase", "downcase", "strip")
OPENING = {"if": "endif", "unless": "endunless"}
TAGS = (*OPENING, "elsif", "else", *OPENING.values())
LONGEST_VALUE = 64
LONGEST_OUTPUT = 2_000_000  # octets

# The bound keeps a text full of unclosed braces from taking quadratic time.
_PIECE = re.compile(r"\{\{.{0,500}?\}\}|\{%.{0,500}?%\}", re.DOTALL)
_TAG = re.compile(r"\{%-?\s*([^\s%-]*)\s*(.*?)\s*-?%\}", re.DOTALL)
_STRING = re.compile(r"\"[^\"]*\"|'[^']*'")
# With words alone, every comparison has an answer; numbers, ranges and the like could fail for one reader.
_BEYOND_WORDS = re.compile(r"[<>\d(\[]|\b(?:true|false)\b|\b(?:blank|empty)\s+contains\b")
_TRIALS: tuple[dict[str, str | None], ...] = (
    dict.fromkeys(PLACEHOLDERS),
    # Twice as long as any: "ß" has two capitals, and nothing grows more than an escaped "&".
    dict.fromkeys(PLACEHOLDERS, "&" * LONGEST_VALUE * 2),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One placeholder or tag as the editor wrote it; `tag` is empty for a placeholder."""

    source: str
    tag: str = ""
    argument: str = ""


class TextTemplates(Environment):
    """Liquid cut down to the tags and filters above, with a limit on what it may write."""

    output_stream_limit = LONGEST_OUTPUT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Keep only what PLACEHOLDERS, TAGS and FILTERS promise."""
        super().setup_tags_and_filters(extra=extra)
        kept = (*OPENING, TOKEN_OUTPUT, TOKEN_CONTENT, TOKEN_ILLEGAL)
        self.tags = {name: self.tags[name] for name in kept}
        self.filters = {name: self.filters[name] for name in FILTERS}


class _EscapedNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = to_liquid_string(self.expression.evaluate(context), autoescape=False)
        return buffer.write(html.escape(value))


class _EscapedOutput(Output):
    node_class = _EscapedNode


class HtmlTemplates(TextTemplates):
    """The same, with every value escaped.

    Liquid's own autoescape takes a string in the template, such as a default, for safe HTML; an issue's
    HTML has passed the sanitiser by then, so no string may bring in more.
    """

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Escape whatever an output writes."""
        super().setup_tags_and_filters(extra=extra)
        self.tags[TOKEN_OUTPUT] = _EscapedOutput(self)


TEXT = TextTemplates()
HTML = HtmlTemplates()


def split(source: str) -> Iterator[str | Piece]:
    """Give the text and the pieces of `source` in turn."""
    position = 0
    for found in _PIECE.finditer(source):
        yield source[position : found.start()]
        tag = _TAG.fullmatch(found[0])
        yield Piece(found[0], tag[1], tag[2]) if tag else Piece(found[0])
        position = found.end()
    yield source[position:]


def problems_of(source: str) -> list[str]:
    """Say what is wrong with the placeholders and tags of `source`, a sentence for each (empty: nothing)."""
    problems = []
    for each in split(source):
        if isinstance(each, Piece):
            problems += _problems_of_piece(each)
        elif opened := re.search(r"\{\{|\{%", each):
            close = {"{{": "}}", "{%": "%}"}[opened[0]]
            where = " ".join(each[opened.start() :].split())[:30]
            problems.append(f"“{where}” opens with {opened[0]} but is never closed with {close}.")
    return problems


def problems_of_filling(source: str) -> list[str]:
    """Say why `source`, whose pieces are each right, can't be filled in as a whole (empty: it can)."""
    try:
        template = HTML.from_string(source)
        for values in _TRIALS:
            template.render(values)
    except OutputStreamLimitError:
        return ["The issue is too large once it is laid out; shorten it."]
    except LiquidError as error:
        return [f"The placeholders and tags don't fit together: {error.message}."]
    return []


def _problems_of_piece(piece: Piece) -> list[str]:
    if not piece.tag and piece.source.startswith("{%"):
        return [f"{piece.source} names no tag; {_choice('use', TAGS)}."]
    if piece.tag and piece.tag not in TAGS:
        return [f"There is no tag {piece.source}; {_choice('use', TAGS, piece.tag)}."]
    if piece.tag in ("else", *OPENING.values()):
        return [f"{piece.source} takes nothing more: write {{% {piece.tag} %}}."] if piece.argument else []
    return _problems_of_expression(piece)


def _problems_of_expression(piece: Piece) -> list[str]:
    if _BEYOND_WORDS.search(_STRING.sub("", piece.argument if piece.tag else piece.source)):
        return [f"{piece.source} may use only placeholders and words in quotes, with ==, != and contains."]
    try:
        template = TEXT.from_string(_alone(piece))
        used = template.analyze()
        unknown = [
            *(
                f"There is no placeholder {{{{ {name} }}}}; {_choice('use', PLACEHOLDERS, str(name))}."
                for names in used.variables.values()
                for name in names
                if str(name) not in PLACEHOLDERS
            ),
            *(
                f"There is no filter “{name}” ({piece.source}); {_choice('use', FILTERS, name)}."
                for name in used.filters
                if name not in FILTERS
            ),
        ]
        if not unknown:
            for values in _TRIALS:
                template.render(values)
    except LiquidError as error:
        return [f"{piece.source} can't be read: {error.message}."]
    return unknown


def _alone(piece: Piece) -> str:
    if not piece.tag:
        return piece.source
    if piece.tag == "elsif":
        return f"{{% if {piece.argument} %}}{{% endif %}}"
    return f"{piece.source}{{% {OPENING[piece.tag]} %}}"


def _choice(verb: str, names: tuple[str, ...], wrong: str = "") -> str:
    near = difflib.get_close_matches(wrong, names, n=1)
    hint = f"did you mean {near[0]}? You can " if near else ""
    return f"{hint}{verb} one of {', '.join(names)}"
