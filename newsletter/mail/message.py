"""One mail, serialised exactly once.

What is built here is signed and sent as these very bytes (RULES G1), so nothing may be left for a later
hand to normalise: CRLF everywhere, 7-bit bodies in quoted-printable, no line that a server would dot-stuff
or a mailbox file would quote. The headers are written by a serialiser of our own, because Python's email
policy turns a long List-Unsubscribe into encoded words that mail services do not read. A header is a name
and a row of words; it is folded only between words, never before the first.
"""

import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache

import idna

CRLF = b"\r\n"
FOLD_AT = 78
LONGEST_LINE = 998  # octets, RFC 5322 section 2.1.1
LONGEST_BODY_LINE = 76
LONGEST_QUOTED_NAME = 60
ENCODED_WORD = 68  # leaves room for "Subject: " on a line of 78
BOUNDARY = "=_alternative"  # "=_" is no quoted-printable sequence, so no content can hold it

_LINE_BREAKING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# Most addresses: what needs neither a closer look nor a fold.
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")
_LOCAL_PART = re.compile(r"[^\s()<>\[\]:;,@\\\"]+")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_IDENTIFIER = re.compile(r"[!#-;=?A-Z^-~]+")  # visible ASCII without " < > @ [ \ ]
_URI = re.compile(r"[!#-;=?-~]+")  # visible ASCII without " < >
_FIELD_NAME = re.compile(r"[!-9;-~]+")
# The standard encoder itself goes to 77 where it encodes a space at the end of a full line.
_TO_GUARD = re.compile(rb"^(?:\.|From |[^\n]{77})[^\n]*", re.MULTILINE)
_OWN_FIELDS = frozenset({"from", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version"})


class InvalidHeader(ValueError):
    """A header value that would break out of its line, or that no mail server would take (RULES G3)."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address, with the name shown beside it."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One mail to one recipient; `date` carries its zone, `message_id` has no angle brackets."""

    sender: Mailbox
    recipient: Mailbox
    subject: str
    text: str
    html: str
    date: datetime
    message_id: str
    headers: tuple[tuple[str, str], ...] = ()

    def to_bytes(self) -> bytes:
        """Return the whole mail as it goes over the wire, before signing and dot-stuffing (RULES G1-G4).

        Raises InvalidHeader for a control character or line break in any header value, a malformed address
        or message id, a naive date, a further header that repeats another, or a line over 998 octets.
        """
        lines = [folded(name, words) for name, words in (*self._own_headers(), *self._further_headers())]
        alternatives = (_part("plain", self.text), _part("html", self.html))
        delimiter = b"--" + BOUNDARY.encode()
        return b"".join((
            *lines, CRLF,
            *(delimiter + CRLF + part + CRLF for part in alternatives),
            delimiter + b"--" + CRLF,
        ))  # fmt: skip

    def _own_headers(self) -> Iterator[tuple[str, list[str]]]:
        if self.date.tzinfo is None:
            raise InvalidHeader("The date of a mail must carry its time zone.")
        identifier, _, host = self.message_id.rpartition("@")
        if not (_IDENTIFIER.fullmatch(identifier) and _HOST.fullmatch(host)):
            raise InvalidHeader("A message id must have the form unique@host, without angle brackets.")
        yield "From", mailbox_words(self.sender)
        yield "To", mailbox_words(self.recipient)
        yield "Subject", subject_words("Subject", self.subject)
        yield "Date", [format_datetime(self.date)]
        yield "Message-ID", [f"<{self.message_id}>"]
        yield "MIME-Version", ["1.0"]
        yield "Content-Type", ["multipart/alternative;", f'boundary="{BOUNDARY}"']

    def _further_headers(self) -> Iterator[tuple[str, list[str]]]:
        seen = set(_OWN_FIELDS)
        for name, value in self.headers:
            key = name.lower()
            if not _FIELD_NAME.fullmatch(name) or not value.isascii():
                raise InvalidHeader(f"The header {name!r} must be ASCII, in name and value.")
            if key in seen or key.startswith("content-"):
                raise InvalidHeader(f"The header {name!r} may stand in a mail only once.")
            seen.add(key)
            yield name, _words(_single_line(name, value))


def list_headers(
    *,
    unsubscribe_url: str,
    unsubscribe_mailto: str | None,
    list_id: str,
    list_name: str,
    help_url: str,
    feedback_id: str,
) -> tuple[tuple[str, str], ...]:
    """Return the headers by which mail services know a newsletter and its way out (RULES E1, G5).

    `unsubscribe_mailto` is a whole mailto: address, or None where no bounce domain is set up; `list_id` is a
    dotted name such as news.example.com. Raises InvalidHeader for anything that is not of that form.
    """
    targets = [_uri(unsubscribe_url, "https://", "http://")]
    if unsubscribe_mailto is not None:
        targets.append(_uri(unsubscribe_mailto, "mailto:"))
    if not _HOST.fullmatch(list_id):
        raise InvalidHeader(f"The list id {list_id!r} must be a dotted name such as news.example.com.")
    name = _quoted(_single_line("List-Id", list_name).strip())
    return (
        ("List-Unsubscribe", ", ".join(targets)),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Id", " ".join([*name, f"<{list_id}>"])),
        ("List-Post", "NO"),
        ("List-Help", _uri(help_url, "https://", "http://", "mailto:")),
        ("Feedback-ID", _single_line("Feedback-ID", feedback_id)),
    )


def _uri(uri: str, *schemes: str) -> str:
    if not uri.startswith(schemes) or not _URI.fullmatch(uri):
        raise InvalidHeader(f"A target in a list header must begin with {' or '.join(schemes)} and be ASCII.")
    return f"<{uri}>"


def _single_line(name: str, value: str) -> str:
    if _LINE_BREAKING.search(value):
        raise InvalidHeader(f"The value of {name} holds a line break or a control character.")
    return value


def folded(name: str, words: Iterable[str]) -> bytes:
    """Give a header of these words, folded between words. Raises InvalidHeader for a line over 998 octets."""
    lines: list[str] = []
    line = f"{name}:"
    for word in words:
        # Never before the first word: some readers take an empty first line for an empty header.
        if not line.endswith(":") and len(line) + 1 + len(word) > FOLD_AT:
            lines.append(line)
            line = ""
        line += f" {word}"
    octets = [each.encode() for each in (*lines, line)]
    if any(len(each) > LONGEST_LINE for each in octets):
        raise InvalidHeader(f"The value of {name} is too long for one line.")
    return CRLF.join(octets) + CRLF


def to_line(address: str) -> bytes:
    """Give the To header of one address without a name. Raises InvalidHeader."""
    if _PLAIN_ADDRESS.fullmatch(address):
        return f"To: {address}\r\n".encode()
    return folded("To", mailbox_words(Mailbox(address)))


@lru_cache(maxsize=4)
def date_line(seconds: int) -> bytes:
    """Give the Date header of a moment, in seconds since 1970."""
    return folded("Date", [format_datetime(datetime.fromtimestamp(seconds, UTC))])


def _words(value: str) -> list[str]:
    return re.split(r"(?<=[^ ]) (?=[^ ])", value.strip(" "))


def subject_words(name: str, value: str) -> list[str]:
    """Give the words of a free text header, encoded where they must be (RFC 2047). Raises InvalidHeader."""
    _single_line(name, value)
    plain = value.isascii() and value == value.strip(" ") and "=?" not in value
    words = _words(value)
    if plain and all(len(word) < FOLD_AT - len(name) - 1 for word in words):
        return words
    return _encoded(value)


def _encoded(value: str) -> list[str]:
    return Header(value, "utf-8", maxlinelen=ENCODED_WORD).encode(splitchars="").split()


def _quoted(name: str) -> list[str]:
    if name.isascii() and "=?" not in name and len(name) <= LONGEST_QUOTED_NAME:
        return ['"' + re.sub(r'(["\\])', r"\\\1", name) + '"']
    return _encoded(name)


def mailbox_words(mailbox: Mailbox) -> list[str]:
    """Give a name and its address as the words of a header. Raises InvalidHeader."""
    name = _single_line("a display name", mailbox.name).strip()
    local, _, domain = _single_line("an address", mailbox.address).rpartition("@")
    if not _LOCAL_PART.fullmatch(local):
        raise InvalidHeader("An address must have the form local-part@domain, and be one address only.")
    address = f"{local}@{_domain(domain)}"
    if not name:
        return [address]
    plain = _ATOMS.fullmatch(name) and "=?" not in name and len(name) <= LONGEST_QUOTED_NAME
    return [*([name] if plain else _quoted(name)), f"<{address}>"]


def _domain(domain: str) -> str:
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise InvalidHeader("The domain of an address is not a valid host name.") from error
    if not _HOST.fullmatch(ascii_domain):
        raise InvalidHeader("The domain of an address is not a valid host name.")
    return ascii_domain


def _part(subtype: str, content: str) -> bytes:
    return part_headers(subtype) + quoted_printable(content)


def part_headers(subtype: str) -> bytes:
    """Give the headers of a text part, with the empty line that ends them."""
    return b"".join((
        folded("Content-Type", [f"text/{subtype};", 'charset="utf-8"']),
        folded("Content-Transfer-Encoding", ["quoted-printable"]),
        CRLF,
    ))  # fmt: skip


def quoted_printable(content: str) -> bytes:
    """Encode text for a body: lines of at most 76 octets, CRLF, none that a server or a mailbox file would change."""
    unix = content.replace("\r\n", "\n").replace("\r", "\n")
    # A lone surrogate has no UTF-8; one unreadable sign is better than a mail that cannot be sent.
    encoded = binascii.b2a_qp(unix.encode("utf-8", "replace"), istext=True)
    return _TO_GUARD.sub(lambda found: _guarded(found[0]), encoded).replace(b"\n", CRLF)


def _guarded(line: bytes) -> bytes:
    """Spare the line SMTP's dot-stuffing and the ">From" of mailbox files; both break signatures."""
    if line.startswith((b".", b"From ")):
        line = b"=%02X" % line[0] + line[1:]
    if len(line) <= LONGEST_BODY_LINE:
        return line
    cut = LONGEST_BODY_LINE - 1
    escape = line.rfind(b"=", cut - 2, cut)
    cut = escape if escape > 0 else cut
    return line[:cut] + b"=\n" + _guarded(line[cut:])
