"""A mail as it was received, and what a reader finds in it."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cached_property
from html.parser import HTMLParser
from urllib.parse import urlsplit

_URL = re.compile(r"https?://[^\s<>\"')\]]+")
_HEADER = re.compile(rb"^([!-9;-~]+):((?:[^\r\n]*\r\n[ \t])*[^\r\n]*)\r\n", re.MULTILINE)


@dataclass(frozen=True)
class ReceivedMail:
    """The envelope, and the bytes between DATA and the final dot without the dot-stuffing.

    `connection` numbers the connection that it came over, `at` is the peer's monotonic clock at its
    acceptance.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    connection: int
    at: float

    @cached_property
    def message(self) -> EmailMessage:
        """Give the mail as Python parses it."""
        parsed = message_from_bytes(self.content, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def subject(self) -> str:
        """Give the decoded subject."""
        return str(self.message["Subject"])

    @cached_property
    def text(self) -> str:
        """Give the text part."""
        return self._part("plain")

    @cached_property
    def html(self) -> str:
        """Give the HTML part."""
        return self._part("html")

    def raw_headers(self, name: str) -> list[bytes]:
        """Give every header of that name as it stood on the wire, folds and all, without name and colon."""
        head = self.content.partition(b"\r\n\r\n")[0] + b"\r\n"
        return [match[2] for match in _HEADER.finditer(head) if match[1].lower() == name.lower().encode()]

    def links(self, kind: str = "") -> list[str]:
        """Give the links of the text part, or those whose path begins with /`kind`/ (confirm, unsubscribe,
        click).
        """
        found = [match.rstrip(".,;:") for match in _URL.findall(self.text)]
        return [url for url in found if not kind or f"/{kind}/" in urlsplit(url).path]

    def link(self, kind: str) -> str:
        """Give the one link of that kind in the text part."""
        found = set(self.links(kind))
        assert len(found) == 1, f"{len(found)} links of the kind {kind} in:\n{self.text}"
        return found.pop()

    @property
    def one_click(self) -> str:
        """Give the web address in List-Unsubscribe, read from the wire as a mail program does (RFC 8058)."""
        (header,) = self.raw_headers("List-Unsubscribe")
        addresses = re.findall(r"<(https?://[^>]+)>", re.sub(r"\s+", "", header.decode("ascii")))
        assert len(addresses) == 1, header
        return str(addresses[0])

    @property
    def html_links(self) -> list[str]:
        """Give the targets of the links in the HTML part."""
        return _targets(self.html, "a", "href")

    @property
    def pixel(self) -> str | None:
        """Give the address of the picture that counts an open, if there is one."""
        return next((url for url in _targets(self.html, "img", "src") if "/open/" in url), None)

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


def _targets(html: str, tag: str, attribute: str) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value for key, value in attrs if name == tag and key == attribute and value)

    Reader().feed(html)
    return found
