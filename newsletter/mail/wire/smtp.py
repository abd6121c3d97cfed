"""One mail to the relay; the reply becomes an `Outcome`, and all SMTP trouble ends here.

The stages tell what a broken connection means. Before DATA nothing of the mail has left, so nothing was attempted; from
DATA on the relay may have taken it, so the outcome is in doubt and the mail is never sent again by itself (RULES F9).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiosmtplib

from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage, relay_failed
from newsletter.mail.wire.conversation import Mail
from newsletter.mail.wire.exchange import Patience
from newsletter.mail.wire.pipeline import Done, NextMail, Pipeline, Withheld, take_over
from newsletter.mail.wire.relays import Relay
from newsletter.mail.wire.trouble import Trouble, trouble_at_mail, trouble_of

__all__ = [
    "Connection",
    "Connections",
    "Envelope",
    "Outcome",
    "OutcomeKind",
    "Stage",
]

TROUBLES = (aiosmtplib.SMTPException, OSError, TimeoutError, asyncio.IncompleteReadError)
"""What connecting, securing, signing in and greeting may raise."""
_CONNECT_SECONDS = 30
_GOODBYE_SECONDS = 1


class Connection:
    """A connection to the relay that is used for one mail after another, and opened when it is needed."""

    def __init__(self, relay: Relay, local_hostname: str) -> None:
        self._relay = relay
        self._local_hostname = local_hostname
        self._pipeline: Pipeline | None = None
        self._lockstep = False
        self._sent = 0

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

    async def stream(self, next_mail: NextMail, done: Done) -> BaseException | None:
        """Send what `next_mail` gives until it gives None; `done` gets each outcome, once.

        A connection that ends is opened anew as long as the relay gets anywhere with it; else what is wrong with the
        relay is given.
        """
        carried = 0

        def take() -> Mail | None:
            mail = None if self._is_full else next_mail()
            self._sent += mail is not None
            return mail

        def count(mail: Mail, outcome: Outcome) -> None:
            nonlocal carried
            carried += not relay_failed(outcome)
            done(mail, outcome)

        while True:
            fresh, lockstep, before = not self._is_open, self._lockstep, carried
            try:
                pipeline = await self._open()
                await pipeline.run(take, count)
            except Withheld:
                self.abandon()
                continue
            except TROUBLES as error:
                return error
            self._lockstep = self._lockstep or pipeline.distrusted
            if self._is_full:
                await self.close()
            if pipeline.usable or self._pipeline is None:
                return None
            self.abandon()
            if carried == before and fresh and self._lockstep == lockstep:
                return ConnectionResetError("The relay closed the connection before it took anything.")

    async def _attempt(self, envelope: Envelope, content: bytes, begun: Callable[[], object]) -> Outcome:
        try:
            pipeline = await self._open()
        except aiosmtplib.SMTPResponseException as error:
            return Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT, error.code)
        except TROUBLES:
            return Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT)
        outcome = await pipeline.send(envelope, content, begun)
        self._sent += 1
        self._lockstep = self._lockstep or pipeline.distrusted
        if self._is_full:
            await self.close()
        elif not pipeline.usable:
            self.abandon()
        return outcome

    @property
    def _is_full(self) -> bool:
        """Say whether the connection has carried as many mails as the relay is to get over one."""
        return 0 < self._relay.messages <= self._sent

    @property
    def _is_open(self) -> bool:
        return self._pipeline is not None and self._pipeline.usable

    async def _open(self) -> Pipeline:
        if self._pipeline is not None and self._is_open:
            return self._pipeline
        self.abandon()
        self._sent = 0
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
    """The connections to the relay, of which at most `limit` are in use at once.

    `letters` counts the mails sent one by one that wait for a connection: whoever streams makes room for them.
    """

    def __init__(self, relay: Relay, limit: int, local_hostname: str) -> None:
        self.relay = relay
        self.limit = limit
        self.letters = 0
        self._idle = [Connection(relay, local_hostname) for _ in range(limit)]
        self._all = list(self._idle)
        self._free = asyncio.Semaphore(limit)

    @asynccontextmanager
    async def borrow(self, *, letter: bool = False) -> AsyncIterator[Connection]:
        """Lend a connection; the one last given back first, so that few stay open where few are needed."""
        self.letters += letter
        try:
            await self._free.acquire()
        finally:
            self.letters -= letter
        try:
            connection = self._idle.pop()
            try:
                yield connection
            except BaseException:
                connection.abandon()
                raise
            finally:
                self._idle.append(connection)
        finally:
            self._free.release()

    async def send(self, envelope: Envelope, content: bytes, begun: Callable[[], object] = lambda: None) -> Outcome:
        """Send `content` over a free connection and give what became of it; see `Connection.send`."""
        async with self.borrow(letter=True) as connection:
            return await connection.send(envelope, content, begun)

    def explain(self, error: BaseException) -> Trouble:
        """Say what is wrong with the relay, after an error of `Connection.stream`."""
        return trouble_of(error, self.relay.host, self.relay.port)

    def explain_refusal(self, outcome: Outcome) -> Trouble:
        """Say what is wrong with the sender, after a refusal at MAIL."""
        return trouble_at_mail(outcome.code or 0, outcome.enhanced, self.relay.host, self.relay.port)

    async def close(self) -> None:
        """Say goodbye on every connection."""
        await asyncio.gather(*(connection.close() for connection in self._all))
