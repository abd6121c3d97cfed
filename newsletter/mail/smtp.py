"""One mail to the relay; the reply becomes an `Outcome`, and all SMTP trouble ends here.

The stages tell what a broken connection means. Before DATA nothing of the mail has left, so nothing was attempted; from
DATA on the relay may have taken it, so the outcome is in doubt and the mail is never sent again by itself (RULES F9).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import aiosmtplib

from newsletter.errors import MisconfiguredError
from newsletter.mail.dkim import Signer
from newsletter.mail.exchange import Patience
from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage, outcome_of_reply
from newsletter.mail.pipeline import Pipeline, take_over

__all__ = [
    "Connection",
    "Connections",
    "Envelope",
    "Outcome",
    "OutcomeKind",
    "Relay",
    "Stage",
    "outcome_of_reply",
    "read_relay",
]

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_CONNECT_SECONDS = 30
_GOODBYE_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Relay:
    """The mail server that takes our mail."""

    host: str
    port: int
    security: str
    user: str | None
    password: str | None


def read_relay(url: str) -> Relay:
    """Read `smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`. Raises MisconfiguredError."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in _PORTS or not parts.hostname or port == -1:
        raise MisconfiguredError(
            "NEWSLETTER_SMTP_URL must look like smtp+starttls://user:password@mail.example.com:587."
        )
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return Relay(parts.hostname, port or _PORTS[parts.scheme], parts.scheme, user, password)


class Connection:
    """A connection to the relay that is used for one mail after another, and opened when it is needed."""

    def __init__(self, relay: Relay, local_hostname: str) -> None:
        self._relay = relay
        self._local_hostname = local_hostname
        self._pipeline: Pipeline | None = None
        self._lockstep = False

    async def send(self, envelope: Envelope, content: bytes, begun: Callable[[], object] = lambda: None) -> Outcome:
        """Send `content`, byte for byte, and give what became of it. Raises nothing that SMTP can cause.

        `begun` is called right before anything of the mail can leave, so that whoever cuts this off knows.
        """
        fresh, lockstep = self._pipeline is None, self._lockstep
        outcome = await self._attempt(envelope, content, begun)
        # A kept connection may have been closed meanwhile by the relay, and one that gets groups wrong is spoken to
        # otherwise from now on: neither says anything about the relay.
        if outcome.kind is OutcomeKind.NOT_ATTEMPTED and (not fresh or self._lockstep != lockstep):
            outcome = await self._attempt(envelope, content, begun)
        return outcome

    async def _attempt(self, envelope: Envelope, content: bytes, begun: Callable[[], object]) -> Outcome:
        try:
            pipeline = await self._open()
        except aiosmtplib.SMTPResponseException as error:
            return Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT, error.code)
        except (aiosmtplib.SMTPException, OSError, TimeoutError, asyncio.IncompleteReadError):
            return Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT)
        outcome = await pipeline.send(envelope, content, begun)
        self._lockstep = self._lockstep or pipeline.distrusted
        if not pipeline.usable:
            self.abandon()
        return outcome

    async def _open(self) -> Pipeline:
        if self._pipeline is not None and self._pipeline.usable:
            return self._pipeline
        self.abandon()
        relay = self._relay
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.security == "smtps",
            start_tls=relay.security == "smtp+starttls",
            username=relay.user,
            password=relay.password,
            local_hostname=self._local_hostname,
            timeout=_CONNECT_SECONDS,
        )
        try:
            await client.connect()
            await client.ehlo()
        except BaseException:
            client.close()
            raise
        self._pipeline = take_over(client, Patience(), lockstep=self._lockstep)
        return self._pipeline

    def abandon(self) -> None:
        """Drop the connection without a word."""
        if self._pipeline is not None:
            self._pipeline.abandon()
            self._pipeline = None

    async def close(self) -> None:
        """Say goodbye to the relay."""
        if self._pipeline is not None:
            await self._pipeline.close(_GOODBYE_SECONDS)
        self.abandon()


class Connections:
    """The connections to the relay, of which at most `limit` are in use at once."""

    def __init__(self, relay: Relay, limit: int, local_hostname: str, signer: Signer | None = None) -> None:
        self.limit = limit
        self._signer = signer
        self._idle = [Connection(relay, local_hostname) for _ in range(limit)]
        self._all = list(self._idle)
        self._free = asyncio.Semaphore(limit)

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[Connection]:
        """Lend a connection; the one last given back first, so that few stay open where few are needed."""
        async with self._free:
            connection = self._idle.pop()
            try:
                yield connection
            except BaseException:
                connection.abandon()
                raise
            finally:
                self._idle.append(connection)

    async def send(self, envelope: Envelope, content: bytes, begun: Callable[[], object] = lambda: None) -> Outcome:
        """Sign `content`, send it over a free connection and give what became of it; see `Connection.send`.

        Raises UnsignableMail for what is no mail.
        """
        if self._signer is not None:
            content = (await self._signer.sign([content]))[0] + content
        async with self.borrow() as connection:
            return await connection.send(envelope, content, begun)

    async def close(self) -> None:
        """Say goodbye on every connection."""
        await asyncio.gather(*(connection.close() for connection in self._all))
        if self._signer is not None:
            self._signer.close()
