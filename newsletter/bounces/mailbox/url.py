"""Where the mailbox is that bounces wait in, as NEWSLETTER_IMAP_URL says it. Pure.

A password crosses a network only under TLS with a certificate that is good for the host; without it the server must be
on this machine.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from newsletter.errors import MisconfiguredError
from newsletter.settings import Settings
from newsletter.tokens import fingerprint

_SETTING = "NEWSLETTER_IMAP_URL"
_PORTS = {"imap": 143, "imap+starttls": 143, "imaps": 993}
_MOST_EVERY, _MOST_KEEP = 86_400, 3650
# What would be a wildcard to the server, or end a line.
_NO_FOLDER = re.compile(r"[*%\x00-\x1f\x7f]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class MailboxPlace:
    """A folder on an IMAP server, and what is done with it.

    It is looked into `every` so many seconds; what was processed is moved to the folder `processed` and deleted `keep`
    days after it came, with 0 never.
    """

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    processed: str = "Processed"
    every: int = 60
    keep: int = 30

    @property
    def server(self) -> str:
        """Give host and port, as people name it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def id(self) -> str:
        """Give what the mailbox is known by in the database, which is to hold no user's name."""
        return fingerprint(f"{self.user}@{self.server}/{self.folder}")


def mailbox_of(settings: Settings) -> MailboxPlace | None:
    """Read NEWSLETTER_IMAP_URL; None where it is empty. Raises MisconfiguredError, which shows nothing of the URL."""
    if not settings.imap_url:
        return None
    if not settings.bounce_domain:
        raise MisconfiguredError(
            f"{_SETTING} is set, but NEWSLETTER_BOUNCE_DOMAIN is not: it says which mails of the mailbox are for us."
        )
    return read_mailbox_url(settings.imap_url)


def read_mailbox_url(url: str) -> MailboxPlace:
    """Read `imaps://user:password@host:port/INBOX?processed=Processed&every=60&keep=30`, or `imap+starttls://`, or,
    for a server on this machine, `imap://`. Raises MisconfiguredError.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or parts.fragment or not user or not password:
        raise MisconfiguredError(
            f"{_SETTING} must look like imaps://user:password@mail.example.com/INBOX; in user and password anything "
            "but letters and digits is written as % and two digits."
        )
    if _CONTROL.search(user + password):
        raise MisconfiguredError(f"{_SETTING}: user and password are each on one line.")
    if parts.scheme == "imap" and not _is_here(parts.hostname):
        raise MisconfiguredError(
            f"{_SETTING}: imap:// is for a server on this machine alone; imaps:// or imap+starttls:// keep the "
            "password to themselves."
        )
    number = port or _PORTS[parts.scheme]
    if parts.scheme == "imap+starttls" and number == _PORTS["imaps"]:
        raise MisconfiguredError(f"{_SETTING}: port {number} is for imaps://, not for imap+starttls://.")
    return _with_options(MailboxPlace(parts.hostname, number, parts.scheme, user, password), parts)


def _with_options(place: MailboxPlace, parts: SplitResult) -> MailboxPlace:
    folder = unquote(parts.path.strip("/")) or place.folder
    options: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in ("processed", "every", "keep") or name in options:
            raise MisconfiguredError(
                f"{_SETTING}: after the ? may stand processed, every and keep, each once, such as "
                "?processed=Processed&every=60&keep=30."
            )
        options[name] = value
    processed = options.get("processed", place.processed)
    if _NO_FOLDER.search(folder + processed) or not processed or processed.lower() == folder.lower():
        raise MisconfiguredError(
            f"{_SETTING}: the folder and the one for processed mail must be two, in names without * and %."
        )
    return MailboxPlace(
        place.host,
        place.port,
        place.security,
        place.user,
        place.password,
        folder,
        processed,
        _number(options.get("every"), "every", place.every, 1, _MOST_EVERY),
        _number(options.get("keep"), "keep", place.keep, 0, _MOST_KEEP),
    )


def _number(text: str | None, name: str, default: int, least: int, most: int) -> int:
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
        raise MisconfiguredError(f"{_SETTING}: {name} must be a number from {least} to {most}.")
    return int(text)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
