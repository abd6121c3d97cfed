"""One mail to the relay; the reply becomes an `Outcome`, and all SMTP trouble ends here.

The stages tell what a broken connection means. Before DATA nothing of the mail has left, so nothing was attempted; from
DATA on the relay may have taken it, so the outcome is in doubt and the mail is never sent again by itself (RULES F9).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import aiosmtplib

from newsletter.errors import MisconfiguredError
from newsletter.mail.dkim import Signer
from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage, outcome_of_reply

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
# RFC 5321 §4.5.3.2: greeting, MAIL and RCPT five minutes, the final dot ten.
_COMMAND_SECONDS = 300
_FINAL_DOT_SECONDS = 600
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
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, envelope: Envelope, content: bytes, begun: Callable[[], object] = lambda: None) -> Outcome:
        """Send `content`, byte for byte, and give what became of it. Raises nothing that SMTP can cause.

        `begun` is called right before anything of the mail can leave, so that whoever cuts this off knows.
        """
        fresh = self._client is None
        outcome = await self._attempt(envelope, content, begun)
        # A kept connection may have been closed meanwhile by the relay: that says nothing about the relay.
        if outcome.kind is OutcomeKind.NOT_ATTEMPTED and not fresh:
            outcome = await self._attempt(envelope, content, begun)
        return outcome

    async def _attempt(self, envelope: Envelope, content: bytes, begun: Callable[[], object]) -> Outcome:
        stage = Stage.CONNECT
        try:
            client = await self._open()
            international = not (envelope.recipient + envelope.sender).isascii()
            if international and not client.supports_extension("smtputf8"):
                return Outcome(OutcomeKind.REFUSED, Stage.RCPT, None, "5.6.7")
            stage = Stage.MAIL
            options = ["SMTPUTF8"] if international else []
            encoding = "utf-8" if international else "ascii"
            await client.mail(envelope.sender, options=options, encoding=encoding)
            stage = Stage.RCPT
            await client.rcpt(envelope.recipient, encoding=encoding)
            stage = Stage.DATA
            begun()
            reply = await client.data(content, timeout=_FINAL_DOT_SECONDS)
            return Outcome(OutcomeKind.DELIVERED, stage, reply.code)
        except aiosmtplib.SMTPResponseException as error:
            await self._recover(error.code)
            if stage is Stage.CONNECT or (error.code == 421 and stage is not Stage.DATA):
                return Outcome(OutcomeKind.NOT_ATTEMPTED, stage, error.code)
            return outcome_of_reply(stage, error.code, error.message)
        except (aiosmtplib.SMTPException, OSError, TimeoutError, asyncio.IncompleteReadError):
            self.abandon()
            return Outcome(OutcomeKind.IN_DOUBT if stage is Stage.DATA else OutcomeKind.NOT_ATTEMPTED, stage)

    async def _open(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
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
        self._client = client
        await client.connect()
        client.timeout = _COMMAND_SECONDS
        await client.ehlo()
        return client

    async def _recover(self, code: int) -> None:
        if code == 421 or self._client is None:
            self.abandon()
            return
        try:
            await self._client.rset()
        except (aiosmtplib.SMTPException, OSError):
            self.abandon()

    def abandon(self) -> None:
        """Drop the connection without a word."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def close(self) -> None:
        """Say goodbye to the relay."""
        if self._client is not None and self._client.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError):
                await self._client.quit(timeout=_GOODBYE_SECONDS)
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
