"""An issue is compiled once and then filled in for each reader.

All that is the same for everyone, Markdown, sanitising, layout, inlining of styles, is done in
`compile_issue`. What is left is a Liquid template a part, in which links, pixel and unsubscribe address stand
as slots between control characters: no value can hold those, so one split and one join fill them in.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass

from liquid import BoundTemplate

from newsletter.issues import placeholders
from newsletter.issues.layout import PIXEL, SLOT, UNSUBSCRIBE, Footer, html_page, one_line, slot, text_page
from newsletter.issues.limits import LONGEST_BODY, LONGEST_SUBJECT, PLACEHOLDERS, InvalidIssue
from newsletter.issues.markdown import Written, write
from newsletter.issues.markers import Markers
from newsletter.issues.placeholders import Piece
from newsletter.issues.wording import wording_for

BRACE = "brace"
PIXEL_TAG = '<img src="{}" width="1" height="1" alt="" style="display:block;border:0">'
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Rendered:
    """One reader's copy of an issue."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class CompiledIssue:
    """An issue ready to be filled in; `links` are its distinct web targets in order of appearance."""

    links: tuple[str, ...]
    subject: BoundTemplate
    text: BoundTemplate
    html: BoundTemplate
    subject_source: str
    text_source: str
    html_source: str

    def render(
        self,
        values: Mapping[str, str | None],
        *,
        link: Callable[[int], str],
        unsubscribe_url: str,
        pixel_url: str | None,
    ) -> Rendered:
        """Fill in one reader's values; a missing or empty one counts as not given.

        `link(i)` gives the address that stands for `links[i]` in both parts: a measured one, or the target
        itself. Without `pixel_url` there is no pixel (RULES D2).
        """
        known = given(values)
        slots = {str(number): link(number) for number in range(len(self.links))}
        slots |= {BRACE: "{", UNSUBSCRIBE: unsubscribe_url, PIXEL: pixel_url or ""}
        escaped = {name: html.escape(value) for name, value in slots.items()}
        if pixel_url:
            escaped[PIXEL] = PIXEL_TAG.format(escaped[PIXEL])
        return Rendered(
            subject=" ".join(self.subject.render(known).split()),
            text=_filled(self.text.render(known), slots),
            html=_filled(self.html.render(known), escaped),
        )


def compile_issue(*, subject: str, body: str, newsletter_name: str, language: str, footer: Footer) -> CompiledIssue:
    """Prepare an issue for sending; `body` is Markdown, and both it and `subject` may hold placeholders.

    Raises InvalidIssue with all problems at once. Links are http, https or mailto, the same for every reader,
    and no picture is loaded from elsewhere (RULES D5); the footer names the sender and the way out in both
    parts (RULES E6, G7).
    """
    problems = [*_problems_of_subject(subject), *_problems_of_length(body), *_problems_of_footer(footer)]
    body = _INVISIBLE.sub("", body.replace("\r\n", "\n").replace("\r", "\n"))
    markers = Markers.absent_from(body, subject, newsletter_name, language, *astuple(footer))
    written = Written()
    if len(body) <= LONGEST_BODY:
        problems += placeholders.problems_of(body)
        written = write(body, markers)
        problems += written.problems
    if problems:
        raise InvalidIssue(problems)
    wording = wording_for(language)
    text = text_page(written.text, newsletter_name, wording, footer)
    page = html_page(written.html, newsletter_name, one_line(language), wording, footer)
    html_source = _liquid(page, markers, written.pieces)
    if problems := placeholders.problems_of_filling(html_source):
        raise InvalidIssue(problems)
    text_source = _liquid(text, markers, written.pieces)
    return CompiledIssue(
        links=tuple(written.links),
        subject=placeholders.TEXT.from_string(one_line(subject)),
        text=placeholders.TEXT.from_string(text_source),
        html=placeholders.HTML.from_string(html_source),
        subject_source=one_line(subject),
        text_source=text_source,
        html_source=html_source,
    )


def _problems_of_subject(subject: str) -> list[str]:
    if not subject.strip():
        return ["The issue has no subject."]
    if len(subject) > LONGEST_SUBJECT:
        return [f"The subject has {len(subject)} characters; at most {LONGEST_SUBJECT} are possible."]
    source = one_line(subject)
    problems = placeholders.problems_of(source) or placeholders.problems_of_filling(source)
    if problems:
        return problems
    if not placeholders.TEXT.from_string(source).render(dict.fromkeys(PLACEHOLDERS)).strip():
        return ["The subject is empty for a reader who gave no name; add words, or a default."]
    return []


def _problems_of_length(body: str) -> list[str]:
    if not body.strip():
        return ["The issue has no text."]
    if len(body) > LONGEST_BODY:
        return [f"The text has {len(body)} characters; at most {LONGEST_BODY} are possible."]
    return []


def _problems_of_footer(footer: Footer) -> list[str]:
    named = {
        "organisation": footer.organisation,
        "contact e-mail": footer.contact,
        "address of the privacy notice": footer.privacy_url,
    }
    return [
        f"The sender's {name} is missing; it must stand in every issue. Add it to the settings."
        for name, value in named.items()
        if not value.strip()
    ]


def given(values: Mapping[str, str | None]) -> dict[str, str | None]:
    """Give a reader's values under all placeholders; what is missing or empty is None."""
    return {name: _value(values.get(name)) for name in PLACEHOLDERS}


def _value(value: str | None) -> str | None:
    return one_line(value) or None if value else None


def _filled(text: str, slots: Mapping[str, str]) -> str:
    parts = text.split(SLOT)
    parts[1::2] = [slots[name] for name in parts[1::2]]
    return "".join(parts)


def _liquid(page: str, markers: Markers, pieces: Sequence[Piece]) -> str:
    """Put slots and pieces in place of their markers; a brace that is merely text must not open a piece."""
    quiet = re.sub(rf"\{{(?=[{{%]|{markers.stem})", slot(BRACE), page)
    linked = markers.links.sub(lambda found: slot(found[1]), quiet)
    return markers.pieces.sub(lambda found: pieces[int(found[1])].source, linked)
