"""A received mail, taken apart into headers and parts as far as reports need it. Pure, and never raises.

The mails that come to a bounce address are the worst-formed there are: cut off, mislabelled, in the wrong charset. So
this reads whatever it can and takes the rest as text. A returned mail is kept as a part and not entered: it is not
evidence.
"""

import binascii
import html
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass

_MOST_BYTES = 1_000_000
_MOST_PARTS = 100
_DEEPEST = 8
_MOST_HEADERS = 500
_LONGEST_HEADER = 20_000
# RFC 2046 allows 70 characters.
_LONGEST_BOUNDARY = 200
_MOST_MARKUP = 200_000
# Other codecs of Python are no charsets, or warn, or raise.
_CHARSET = re.compile(
    r"(?:utf-?(?:8|16|7)|us-ascii|ascii|iso-?8859-?\d+|latin-?\d+|windows-\d+|cp-?\d+|koi8-[ru]|iso-2022-\w+"
    r"|gb2312|gbk|gb18030|big5|euc-\w+|shift[_-]jis|sjis|ks_c_5601-1987|macintosh|tis-620)\Z",
    re.IGNORECASE,
)
_WORD = re.compile(r"=\?([\w.-]+)(?:\*[\w-]*)?\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?)")
_FIELD = re.compile(rb"([!-9;-~]{1,80})[ \t]*:[ \t]*(.*)", re.DOTALL)
_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*(?:"([^"]*)"|([^;\s]*))')
_UNSEEN = re.compile(r"<(style|script|head|title)\b[^>]{0,500}>", re.IGNORECASE)
_LINE_END = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d|p|hr)\b[^>]{0,500}>", re.IGNORECASE)
_TAG = re.compile(r"<(?=[a-zA-Z/!])(?![^\s<>@]{1,200}@)[^<>]{0,2000}>")


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of a mail: its fields by lower-case name, its media type, and its text."""

    fields: tuple[tuple[str, str], ...]
    kind: str
    text: str

    def get(self, name: str) -> str:
        """Give the first field of a lower-case name, or the empty string."""
        return next((value for field, value in self.fields if field == name), "")

    def all(self, name: str) -> list[str]:
        """Give all fields of a lower-case name."""
        return [value for field, value in self.fields if field == name]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail: its head (headers, and media type as declared) and its leaves in order."""

    head: Part
    parts: tuple[Part, ...]

    def of_kind(self, *kinds: str) -> list[Part]:
        """Give the parts of some media types."""
        return [part for part in self.parts if part.kind in kinds]


def parse(raw: bytes) -> Mail:
    """Take a mail apart, whatever bytes it is; more than a million of them are left out."""
    raw = raw[:_MOST_BYTES].lstrip(b"\r\n \t\xef\xbb\xbf")
    raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b"")
    fields, body = _split(raw)
    declared = _declared(fields)
    head = Part(fields, declared.partition(";")[0].strip().lower(), "")
    leaves: list[Part] = []
    for part in _leaves(fields, body, 0):
        leaves.append(part)
        if len(leaves) >= _MOST_PARTS:
            break
    return Mail(head, tuple(leaves))


def _split(raw: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Part the header fields from the body."""
    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    fields: list[tuple[str, bytes]] = []
    place = 0
    while place < len(raw) and len(fields) < _MOST_HEADERS:
        end = raw.find(b"\n", place)
        end = len(raw) if end < 0 else end
        line = raw[place:end]
        if not line.strip():
            place = end + 1
            break
        if line[:1] in b" \t" and fields:
            name, value = fields[-1]
            if len(value) < _LONGEST_HEADER:
                fields[-1] = (name, value + b" " + line.strip())
        elif found := _FIELD.fullmatch(line):
            fields.append((found.group(1).decode("ascii").lower(), found.group(2).strip()))
        else:
            break
        place = end + 1
    return tuple((name, header_text(value)) for name, value in fields), raw[place:]


def header_text(value: bytes) -> str:
    """Give a header's value as text, its encoded words (RFC 2047) read."""
    return _WORD.sub(_read_word, _BETWEEN_WORDS.sub(r"\1", _decoded(value, "")))


def _read_word(word: re.Match[str]) -> str:
    charset, encoding, content = word.groups()
    octets = content.encode("utf-8", "replace")
    if encoding in "bB":
        return _decoded(_base64(octets), charset)
    return _decoded(quopri.decodestring(octets.replace(b"_", b" ")), charset)


def _declared(fields: tuple[tuple[str, str], ...]) -> str:
    return next((value for name, value in fields if name == "content-type"), "text/plain")


def _parameter(declared: str, name: str) -> str:
    for found in _PARAMETER.finditer(declared):
        if found.group(1).lower().rstrip("*") == name:
            return found.group(2) if found.group(2) is not None else found.group(3)
    return ""


def _leaves(fields: tuple[tuple[str, str], ...], body: bytes, depth: int) -> Iterator[Part]:
    declared = _declared(fields)
    kind = declared.partition(";")[0].strip().lower() or "text/plain"
    boundary = _parameter(declared, "boundary")
    if kind.startswith("multipart/") and depth < _DEEPEST:
        inner = _cut(body, boundary) if 0 < len(boundary) <= _LONGEST_BOUNDARY else []
        for octets in inner:
            yield from _leaves(*_split_part(octets), depth + 1)
        if inner:
            return
        kind = "text/plain"
    yield Part(fields, kind, _text(fields, kind, declared, body))


def _split_part(octets: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    if octets.startswith(b"\n"):
        return (), octets[1:]
    return _split(octets)


def _cut(body: bytes, boundary: str) -> list[bytes]:
    """Give what lies between the boundary lines; nothing where there are none."""
    line = re.compile(
        rb"^--" + re.escape(boundary.encode("utf-8", "replace").rstrip()) + rb"(--)?[ \t]*$", re.MULTILINE
    )
    marks = list(line.finditer(body))[: _MOST_PARTS + 1]
    ends = [*(mark.start() for mark in marks[1:]), len(body)][: len(marks)]
    return [body[mark.end() + 1 : end] for mark, end in zip(marks, ends, strict=True) if not mark.group(1)]


def _text(fields: tuple[tuple[str, str], ...], kind: str, declared: str, body: bytes) -> str:
    encoding = next((value for name, value in fields if name == "content-transfer-encoding"), "").strip().lower()
    if encoding == "base64":
        body = _base64(body)
    elif encoding == "quoted-printable":
        body = quopri.decodestring(body)
    text = _decoded(body, _parameter(declared, "charset")).replace("\r\n", "\n").replace("\r", "\n")
    return plain(text) if kind == "text/html" else text


def plain(markup: str) -> str:
    """Give the words of an HTML page, its lines roughly kept."""
    without = _TAG.sub("", _LINE_END.sub("\n", _seen(markup[:_MOST_MARKUP])))
    return html.unescape(without).replace("\xa0", " ")


def _seen(markup: str) -> str:
    """Leave out what no reader sees."""
    lowered = markup.lower()
    if len(lowered) != len(markup):
        return markup
    kept: list[str] = []
    place = 0
    while found := _UNSEEN.search(markup, place):
        end = lowered.find(f"</{found.group(1).lower()}", found.end())
        if end < 0:
            break
        kept.append(markup[place : found.start()])
        place = end
    return " ".join([*kept, markup[place:]])


def _base64(octets: bytes) -> bytes:
    clean = re.sub(rb"[^A-Za-z0-9+/]", b"", octets)
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    try:
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
    except binascii.Error:
        return octets


def _decoded(octets: bytes, charset: str) -> str:
    charset = charset.strip().strip("\"'")
    for name in (charset, "utf-8"):
        if not _CHARSET.match(name):
            continue
        try:
            return octets.decode(name, "strict" if name == "utf-8" else "replace")
        except (LookupError, ValueError):
            continue
    return octets.decode("cp1252", "replace")
