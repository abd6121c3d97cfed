"""The relays that take our mail: which there are, which of them is for whose mail, and which to use just now. Pure.

A sender's domain may have relays of its own; all others share the default ones. The first of a route is used as long as
it works. One that fails rests, twice as long after each failure, and the next one stands in; after its rest one try
shows whether it works again, and only then does everybody go back to it. Where all rest there is nothing but to wait.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import idna

from newsletter.errors import MisconfiguredError
from newsletter.settings import Settings

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_MOST = {"connections": 200, "messages": 1_000_000, "rate": 1_000_000}
_SHORTEST_REST = 15.0
_LONGEST_REST = 600.0
# How long one who tries a relay again has it for itself: as long as connecting to it may take.
_TRY_SECONDS = 40.0
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*")


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server that takes our mail, and how much of it.

    `connections` at once for each worker (None: as many as NEWSLETTER_SMTP_CONNECTIONS says), `messages` over one
    connection before it is opened anew (0: without end), `rate` in mails a second for each worker (0: without limit).
    """

    host: str
    port: int
    security: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    connections: int | None = None
    messages: int = 0
    rate: float = 0.0

    @property
    def name(self) -> str:
        """Give host and port, as people name it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_relay(url: str, setting: str = "NEWSLETTER_SMTP_URL") -> Relay:
    """Read `smtp://`, `smtps://` or `smtp+starttls://user:password@host:port?connections=10&messages=100&rate=50`.

    Raises MisconfiguredError, which names the `setting` and shows nothing of the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or parts.path.strip("/") or parts.fragment:
        raise MisconfiguredError(
            f"{setting} must look like smtp+starttls://user:password@mail.example.com:587; in user and password "
            "anything but letters and digits is written as % and two digits."
        )
    options = _options(parts, setting)
    return Relay(
        parts.hostname,
        port or _PORTS[parts.scheme],
        parts.scheme,
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        connections=int(options.get("connections", 0)) or None,
        messages=int(options.get("messages", 0)),
        rate=options.get("rate", 0.0),
    )


def _options(parts: SplitResult, setting: str) -> dict[str, float]:
    options: dict[str, float] = {}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        shape = r"\d{1,7}(\.\d{1,6})?" if name == "rate" else r"\d{1,7}"
        if name not in _MOST or name in options or not re.fullmatch(shape, text, re.ASCII) or float(text) > _MOST[name]:
            raise MisconfiguredError(
                f"{setting}: after the ? of a relay may stand connections (at most 200), messages and rate, each once "
                "and as a number, such as ?connections=10&messages=100&rate=50."
            )
        options[name] = float(text)
    return options


def read_domain(text: str) -> str:
    """Give a domain in the form in which it is compared: ASCII, lower case. Raises ValueError for what is none."""
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError:
            raise ValueError("not a domain") from None
    if not _DOMAIN.fullmatch(name):
        raise ValueError("not a domain")
    return name


def domain_of(address: str) -> str:
    """Give the domain of an address in that form; as it is written where it can't be read."""
    domain = address.rpartition("@")[2].lower()
    if domain.isascii():
        return domain
    try:
        return read_domain(domain)
    except ValueError:
        return domain


@dataclass(frozen=True, slots=True)
class Routes:
    """Which relays take the mail of which sender; `domains` hold those that have their own."""

    default: tuple[Relay, ...]
    domains: Mapping[str, tuple[Relay, ...]]

    @classmethod
    def of(cls, settings: Settings) -> "Routes":
        """Read NEWSLETTER_SMTP_URL and NEWSLETTER_RELAYS. Raises MisconfiguredError."""
        domains: dict[str, tuple[Relay, ...]] = {}
        for entry in re.split(r"[;\n]", settings.relays):
            if entry.strip():
                domain, relays = _read_route(entry)
                if domain in domains:
                    raise MisconfiguredError(
                        f"NEWSLETTER_RELAYS names {domain} twice; name its relays in one place, separated by spaces."
                    )
                domains[domain] = relays
        return cls(_read_relays(settings.smtp_url, "NEWSLETTER_SMTP_URL"), domains)

    def route(self, sender_address: str) -> tuple[Relay, ...]:
        """Give the relays for mail from this address, in order of preference: those of the nearest domain above it."""
        domain = domain_of(sender_address)
        while domain:
            if domain in self.domains:
                return self.domains[domain]
            domain = domain.partition(".")[2]
        return self.default

    @property
    def all(self) -> tuple[Relay, ...]:
        """Give every relay once, the default ones first."""
        return tuple(dict.fromkeys((*self.default, *(relay for route in self.domains.values() for relay in route))))


def _read_route(entry: str) -> tuple[str, tuple[Relay, ...]]:
    name, _, urls = entry.partition("=")
    try:
        domain = read_domain(name)
    except ValueError:
        raise MisconfiguredError(
            "NEWSLETTER_RELAYS must look like news.example.com = smtp://mail.example.com, one domain a line or "
            "separated by semicolons."
        ) from None
    return domain, _read_relays(urls, "NEWSLETTER_RELAYS")


def _read_relays(urls: str, setting: str) -> tuple[Relay, ...]:
    relays = [read_relay(url, setting) for url in urls.split() or [""]]
    if len({(relay.host, relay.port, relay.user) for relay in relays}) < len(relays):
        raise MisconfiguredError(f"{setting} names the same relay twice; another one must stand in when it fails.")
    return tuple(relays)


def rests_until(failures: int, now: float) -> float:
    """Say until when a relay rests that failed so often in a row, by the clock that `now` is read from."""
    return now + min(_SHORTEST_REST * 2.0 ** min(failures - 1, 10), _LONGEST_REST) if failures else now


@dataclass(frozen=True, slots=True)
class Standing:
    """How a relay has done lately, as one worker saw it."""

    failures: int = 0
    rests_until: float = 0.0
    trying: bool = False

    def rests(self, now: float) -> bool:
        """Say whether it is left alone now."""
        return self.failures > 0 and now < self.rests_until

    def failed(self, now: float) -> "Standing":
        """Give the standing after it could not be used. Connections that fail together are one failure."""
        if self.rests(now) and not self.trying:
            return self
        return Standing(self.failures + 1, rests_until(self.failures + 1, now))

    def tried(self, now: float) -> "Standing":
        """Give the standing while one tries it again after its rest: the others keep to the stand-in meanwhile."""
        return replace(self, rests_until=now + _TRY_SECONDS, trying=True) if self.failures else self

    def worked(self) -> "Standing":
        """Give the standing after it took a connection."""
        return Standing()


@dataclass(frozen=True, slots=True)
class Choice:
    """The relay to use now, or None and when to ask again."""

    relay: Relay | None
    again_at: float | None = None

    @classmethod
    def pick(cls, route: Sequence[Relay], standings: Mapping[Relay, Standing], now: float) -> "Choice":
        """Give the first relay of a route that does not rest; one without a standing has never failed."""
        for relay in route:
            if not standings.get(relay, Standing()).rests(now):
                return cls(relay)
        return cls(None, min(standings[relay].rests_until for relay in route))
