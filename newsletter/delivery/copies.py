"""Copies of an issue for any number of readers: what is the same in all of them is encoded once, the rest is a join.

The result reads exactly as what `Message.to_bytes` makes of the rendered issue; only the soft line breaks differ.
"""

import html
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from newsletter.issues.assembly import Assembly, Values, assemble
from newsletter.issues.layout import PIXEL, UNSUBSCRIBE
from newsletter.issues.rendering import BRACE, PIXEL_TAG, CompiledIssue
from newsletter.mail import gaps
from newsletter.mail.message import BOUNDARY, CRLF, Mailbox, folded, mailbox_words, part_headers, subject_words

_DELIMITER = b"--" + BOUNDARY.encode()
_MIME = folded("MIME-Version", ["1.0"]) + folded("Content-Type", ["multipart/alternative;", f'boundary="{BOUNDARY}"'])
_BEFORE_PIXEL, _AFTER_PIXEL = (gaps.constant(half) for half in PIXEL_TAG.split("{}"))


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is a reader's own in a copy. `links` are the addresses for the issue's links, in their order."""

    recipient: str
    values: Values
    message_id: str
    date: datetime
    links: list[str]
    unsubscribe_url: str
    pixel_url: str | None
    headers: tuple[tuple[str, str], ...]


class Copies:
    """An issue ready to be copied. Make it with `Copies.of`."""

    def __init__(self, content: CompiledIssue, sender: Mailbox, text: Assembly, markup: Assembly) -> None:
        self._content = content
        self._from = folded("From", mailbox_words(sender))
        self._text = text
        self._html = markup
        # Without a placeholder the subject is everybody's.
        self._subject = None if "{" in content.subject_source else self._subject_line({})
        self._before_text = CRLF + _DELIMITER + CRLF + part_headers("plain")
        self._before_html = CRLF + _DELIMITER + CRLF + part_headers("html")
        self._end = CRLF + _DELIMITER + b"--" + CRLF

    @classmethod
    def of(cls, content: CompiledIssue, sender: Mailbox) -> "Copies | None":
        """Make an issue ready; None where only Liquid itself can fill it in, because it trims white space."""
        text, markup = assemble(content.text_source, markup=False), assemble(content.html_source, markup=True)
        return cls(content, sender, text, markup) if text and markup else None

    def write(self, personal: Particulars) -> bytes:
        """Write one reader's copy. Raises InvalidHeader for an address no mail server would take."""
        links = [link.encode() for link in personal.links]
        unsubscribe = personal.unsubscribe_url.encode()
        text_slots = {str(number): _url(link) for number, link in enumerate(links)}
        text_slots |= {BRACE: _BRACE, UNSUBSCRIBE: _url(unsubscribe), PIXEL: b""}
        html_slots = text_slots
        if any(b"&" in link or b"'" in link for link in links):
            html_slots = text_slots | {
                str(number): gaps.value(html.escape(link)) for number, link in enumerate(personal.links)
            }
        if personal.pixel_url:
            pixel = _BEFORE_PIXEL + _url(personal.pixel_url.encode()) + _AFTER_PIXEL
            html_slots = html_slots | {PIXEL: pixel}
        return b"".join(
            (
                self._from,
                folded("To", mailbox_words(Mailbox(personal.recipient))),
                self._subject or self._subject_line(personal.values),
                folded("Date", [format_datetime(personal.date)]),
                folded("Message-ID", [f"<{personal.message_id}>"]),
                _MIME,
                *(folded(name, value.split(" ")) for name, value in personal.headers),
                self._before_text,
                self._text.fill(personal.values, text_slots),
                self._before_html,
                self._html.fill(personal.values, html_slots),
                self._end,
            )
        )

    def _subject_line(self, values: Values) -> bytes:
        subject = " ".join(self._content.subject.render(values).split())
        return folded("Subject", subject_words("Subject", subject))


def _url(octets: bytes) -> bytes:
    return gaps.value(octets.decode()) if b"=" in octets else gaps.plain(octets)


_BRACE = gaps.plain(b"{")
