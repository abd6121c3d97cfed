"""Copies of an issue for any number of readers: what is the same in all of them is encoded once, the rest is a join.

One copy is written out with tokens of nobody's and then cut open where those stand. The result reads exactly as what
`Message.to_bytes` makes of the rendered issue; only the soft line breaks differ.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from newsletter.issues.assembly import Assembly, Node, Octets, Values, assemble, cut
from newsletter.issues.layout import PIXEL, UNSUBSCRIBE
from newsletter.issues.rendering import BRACE, PIXEL_TAG, CompiledIssue, given
from newsletter.mail.message import (
    BOUNDARY,
    CRLF,
    Mailbox,
    Message,
    date_line,
    folded,
    mailbox_words,
    part_headers,
    subject_words,
    to_line,
)

_DELIMITER = b"--" + BOUNDARY.encode()
_MIME = folded("MIME-Version", ["1.0"]) + folded("Content-Type", ["multipart/alternative;", f'boundary="{BOUNDARY}"'])


class Tokens(NamedTuple):
    """What sets one mail apart from all others, in URL-safe characters; each is as long as it is for anybody else.

    `mailbox` is empty where nobody can unsubscribe by mail, and `opened` where nothing is measured.
    """

    message_id: str
    unsubscribe: str
    mailbox: str
    opened: str


_TO, _DATE = len(Tokens._fields), len(Tokens._fields) + 1


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses in one mail, made with its tokens. `links` are those for the issue's links, in their order."""

    message_id: str
    links: Sequence[str]
    unsubscribe_url: str
    pixel_url: str | None
    headers: tuple[tuple[str, str], ...]


class Copies:
    """An issue ready to be copied. Make it with `Copies.of`."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._mail = Assembly(nodes)

    @classmethod
    def of(cls, content: CompiledIssue, sender: Mailbox, tokens: Tokens, addresses: Addresses) -> "Copies | None":
        """Make an issue ready, by the example of a mail with these tokens, which must be nobody's.

        Give None where only Liquid itself can fill it in, because it trims white space. Raises InvalidHeader.
        """
        slots = _slots(addresses)
        text = assemble(content.text_source, slots, tokens, markup=False)
        escaped = {name: html.escape(value) for name, value in slots.items()}
        if addresses.pixel_url:
            escaped[PIXEL] = PIXEL_TAG.format(escaped[PIXEL])
        markup = assemble(content.html_source, escaped, tokens, markup=True)
        if text is None or markup is None:
            return None
        return cls([
            *_head(content, sender, tokens, addresses),
            CRLF + _DELIMITER + CRLF + part_headers("plain"), *text,
            CRLF + _DELIMITER + CRLF + part_headers("html"), *markup,
            CRLF + _DELIMITER + b"--" + CRLF,
        ])  # fmt: skip

    def write(self, recipient: str, values: Values, tokens: Tokens, date: datetime) -> bytes:
        """Write one reader's copy. Raises InvalidHeader for an address no mail server would take."""
        octets = [token.encode() for token in tokens]
        return self._mail.fill(values, (*octets, to_line(recipient), date_line(int(date.timestamp()))))


def whole(
    content: CompiledIssue,
    sender: Mailbox,
    recipient: str,
    values: Values,
    addresses: Addresses,
    date: datetime,
) -> bytes:
    """Write one reader's copy the long way: Liquid for the whole, and every byte of it encoded anew."""
    rendered = content.render(
        values,
        link=addresses.links.__getitem__,
        unsubscribe_url=addresses.unsubscribe_url,
        pixel_url=addresses.pixel_url,
    )
    return Message(
        sender=sender,
        recipient=Mailbox(recipient),
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        date=date,
        message_id=addresses.message_id,
        headers=addresses.headers,
    ).to_bytes()


def _slots(addresses: Addresses) -> dict[str, str]:
    numbered = {str(number): link for number, link in enumerate(addresses.links)}
    return numbered | {BRACE: "{", UNSUBSCRIBE: addresses.unsubscribe_url, PIXEL: addresses.pixel_url or ""}


def _head(content: CompiledIssue, sender: Mailbox, tokens: Tokens, addresses: Addresses) -> list[Node]:
    message_id = folded("Message-ID", [f"<{addresses.message_id}>"])
    further = b"".join(folded(name, value.split(" ")) for name, value in addresses.headers)
    return [
        folded("From", mailbox_words(sender)), _TO, _subject(content), _DATE,
        *_open(message_id, tokens), _MIME, *_open(further, tokens),
    ]  # fmt: skip


def _subject(content: CompiledIssue) -> Node:
    def line(values: Values, _: Octets = ()) -> bytes:
        subject = " ".join(content.subject.render(values).split())
        return folded("Subject", subject_words("Subject", subject))

    # Without a placeholder the subject is everybody's.
    return (lambda values, _: line(given(values))) if "{" in content.subject_source else line({})


def _open(header: bytes, tokens: Tokens) -> list[Node]:
    return [part.encode() if isinstance(part, str) else part for part in cut(header.decode(), tokens)]
