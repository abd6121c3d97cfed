"""The shapes that a value must have, each told in a sentence that shows nothing of the value: it may be a secret."""

import re
import unicodedata
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator

from newsletter.tokens import MINIMUM_SECRET_BYTES

# Nothing that would end a header line, split a link in a mail, or put a password into one.
_WEB_ADDRESS = re.compile(r"https?://[^\s@?#<>\"\\]+")
Network = IPv4Network | IPv6Network
_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", re.IGNORECASE)

_MAIL_ADDRESS = re.compile(
    r"[^\s@\"<>(),:;\[\]\\]{1,64}@(?:[^\s@\"<>(),:;\[\]\\.]{1,63}\.)+[^\s@\"<>(),:;\[\]\\.]{2,63}"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
# Control characters, unassigned surrogates, line and paragraph separators.
_NOT_FOR_A_LINE = {"Cc", "Cs", "Zl", "Zp"}
# What both drivers know: the one that serves, and the one that migrates.
_POSTGRESQL_OPTIONS = ("host", "port", "user", "password", "passfile", "target_session_attrs")


def _web_address(value: str) -> str:
    if not _WEB_ADDRESS.fullmatch(value) or not _has_a_host(value):
        raise ValueError("it must look like https://news.example.com")
    return value.rstrip("/")


def _database_url(value: str) -> str:
    if not value:
        return value
    if not value.startswith(("postgresql://", "sqlite:///")):
        raise ValueError("it must begin with postgresql:// (or be empty, for SQLite in the data folder)")
    if _CONTROL.search(value):
        raise ValueError("it holds a line end, or another character that can't be printed")
    return _sqlite_url(value) if value.startswith("sqlite") else _postgresql_url(_url(value))


def _sqlite_url(value: str) -> str:
    path = value.removeprefix("sqlite:///")
    if not path or "?" in path or path.startswith((":memory:", "file:")):
        raise ValueError("it must be sqlite:///path/of/a/file, with nothing behind it")
    if Path(path).is_dir():
        raise ValueError("it must name a file after sqlite:///; this is a folder")
    return value


def _postgresql_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        options = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))]
        named = parts.port != 0 and bool(parts.path.strip("/")) and "/" not in parts.path[1:] and not parts.fragment
    except ValueError:
        named, options = False, []
    if not named:
        raise ValueError("it must look like postgresql://user:password@host/name")
    if not set(options) <= set(_POSTGRESQL_OPTIONS):
        raise ValueError(
            f"after the ? may stand {', '.join(_POSTGRESQL_OPTIONS)} and nothing else; TLS is chosen by the variables "
            "PGSSLMODE and PGSSLROOTCERT"
        )
    return value


def _url(value: str) -> str:
    """Refuse what `unquote` would pass over: escapes that are none, and such as are no text."""
    try:
        unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("what is written as % and two digits must be text in UTF-8") from None
    if _BROKEN_ESCAPE.search(value):
        raise ValueError("a % is not followed by two hexadecimal digits; a % itself is written %25")
    return value


def _token(value: str) -> str:
    if value and (not value.strip() or _CONTROL.search(value)):
        raise ValueError(
            "it is blank, or holds a character that can't be printed; leave it out, or set it to something"
        )
    return value


def _line(value: str) -> str:
    if any(unicodedata.category(character) in _NOT_FOR_A_LINE for character in value):
        raise ValueError("it must be one line, without characters that can't be printed")
    return value


def _path(value: Path) -> Path:
    if any(unicodedata.category(character) in _NOT_FOR_A_LINE for character in str(value)):
        raise ValueError("it must be a path in UTF-8, without characters that can't be printed")
    return value


def _mail_address(value: str) -> str:
    if value and not _MAIL_ADDRESS.fullmatch(_line(value)):
        raise ValueError("it must look like privacy@example.com")
    return value


def _domain(value: str) -> str:
    # Under anything else every mail would have a sender that no mail server takes.
    if value and not _DOMAIN.fullmatch(value):
        raise ValueError("it must look like bounces.example.com")
    return value


def _listening_place(value: str) -> str:
    if value != "off" and read_place(value) is None:
        raise ValueError("it must look like 127.0.0.1:8025, [::1]:8025 or off")
    return value


def _networks(value: str) -> str:
    if read_networks(value) is None:
        raise ValueError("it must look like 10.0.0.0/8, 192.0.2.7, 2001:db8::/32")
    return value


def _secret(value: str) -> str:
    if value and (not value.strip() or len(value.encode()) < MINIMUM_SECRET_BYTES):
        raise ValueError(f"it must be at least {MINIMUM_SECRET_BYTES} characters long")
    return value


def _has_a_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def read_place(value: str) -> tuple[str, int] | None:
    """Read an address and a port as they are written, such as `127.0.0.1:8025`; None where it isn't that."""
    try:
        parts = urlsplit(f"//{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (host, port) if host and port and parts.netloc == value and "@" not in value else None


def read_networks(value: str) -> tuple[Network, ...] | None:
    """Read networks and single addresses, with commas or spaces between them; None where one of them isn't that."""
    try:
        return tuple(ip_network(part) for part in value.replace(",", " ").split())
    except ValueError:
        return None


WebAddress = Annotated[str, AfterValidator(_web_address)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Domain = Annotated[str, AfterValidator(_domain)]
Url = Annotated[str, AfterValidator(_url)]
Token = Annotated[str, AfterValidator(_token)]
Line = Annotated[str, AfterValidator(_line)]
Place = Annotated[Path, AfterValidator(_path)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
ListeningPlace = Annotated[str, AfterValidator(_listening_place)]
NetworkList = Annotated[str, AfterValidator(_networks)]
Secret = Annotated[str, AfterValidator(_secret)]
