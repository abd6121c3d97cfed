"""The shapes that a value must have, each told in a sentence that shows nothing of the value: it may be a secret."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from newsletter.tokens import MINIMUM_SECRET_BYTES

# Nothing that would end a header line, split a link in a mail, or put a password into one.
_WEB_ADDRESS = re.compile(r"https?://[^\s@?#<>\"\\]+")
Network = IPv4Network | IPv6Network
_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", re.IGNORECASE)


def _web_address(value: str) -> str:
    if not _WEB_ADDRESS.fullmatch(value) or not _has_a_host(value):
        raise ValueError("it must look like https://news.example.com")
    return value.rstrip("/")


def _database_url(value: str) -> str:
    if value and not value.startswith(("postgresql://", "sqlite:///")):
        raise ValueError("it must begin with postgresql:// (or be empty, for SQLite in the data folder)")
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
    if value and len(value.encode()) < MINIMUM_SECRET_BYTES:
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
ListeningPlace = Annotated[str, AfterValidator(_listening_place)]
NetworkList = Annotated[str, AfterValidator(_networks)]
Secret = Annotated[str, AfterValidator(_secret)]
