"""One marked window on its way: who waits, who has left, and what came of it.

A mail is written when a connection has room for it, and only as long as two things hold. Its recipient was seen to be
mailable a moment ago (RULES E3). And the lease is ours, by a clock that goes on while a process is stopped or a
machine sleeps: the journal is marked first and the clock read then, so whoever took the block over meanwhile has seen
that mark.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from newsletter.clock import Clock
from newsletter.delivery.content import Edition
from newsletter.delivery.journal import Journal
from newsletter.delivery.ledger import Recipient
from newsletter.delivery.tables import Block
from newsletter.mail.conversation import Mail
from newsletter.mail.dkim import Signer, UnsignableMail
from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage, relay_failed
from newsletter.mail.pipeline import Withheld

# How long a look at who may be mailed counts.
FRESH_SECONDS = 0.5
# How many mails are signed in one go.
_SIGNED_AT_ONCE = 16
_log = structlog.get_logger(__name__)
Tried = tuple[Recipient, Outcome]
Written = tuple[Recipient, Envelope, bytes]


@dataclass(slots=True)
class Held:
    """A marked window of a block that is ours until `deadline`, by the clock's `monotonic`."""

    block: Block
    recipients: Sequence[Recipient]
    journal: Journal | None
    deadline: float
    trouble: BaseException | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Parcel(Mail):
    """A mail of a window."""

    recipient: Recipient


class Window:
    """The deliveries of a window, until each of them is tried or given up for now."""

    def __init__(self, edition: Edition, held: Held, clock: Clock, signer: Signer | None = None) -> None:
        self.tried: list[Tried] = []
        self.over = asyncio.Event()
        self.trouble: BaseException | None = None
        self._edition = edition
        self._held = held
        self._journal = held.journal
        self._clock = clock
        self._signer = signer
        self._waiting = deque(held.recipients)
        self._written: deque[Written] = deque()
        self._again: set[int] = set()
        self._out = 0
        self._stopped = False
        self._time = asyncio.get_running_loop().time
        self._fresh_until = self._time() + FRESH_SECONDS

    @property
    def ready(self) -> int:
        """Give how many mails can be taken now."""
        if self._time() > self._fresh_until:
            return 0
        return len(self._written) + (0 if self._signer else len(self._waiting))

    @property
    def waiting(self) -> set[int]:
        """Give the numbers of those that have not been taken yet."""
        return {each.number for each in self._waiting} | {each[0].number for each in self._written}

    def take(self) -> Mail | None:
        """Give the next mail; None where there is none for now."""
        while self.ready:
            written = self._written.popleft() if self._written else self._write(self._waiting.popleft())
            if written is not None:
                recipient, envelope, content = written
                self._out += 1
                begun = partial(self._begin, recipient.number)
                return Parcel(envelope, content, begun, recipient=recipient)
        self._look_over()
        return None

    def done(self, mail: Mail, outcome: Outcome) -> None:
        """Take note of what became of a mail. What the relay did not even look at is tried once more."""
        assert isinstance(mail, Parcel)
        recipient = mail.recipient
        self._out -= 1
        if not relay_failed(outcome):
            self.tried.append((recipient, outcome))
            if self._journal is not None:
                self._journal.settle(recipient.number, outcome)
        elif recipient.number not in self._again and not self._stopped:
            self._again.add(recipient.number)
            self._written.appendleft((recipient, mail.envelope, mail.content))
        self._look_over()

    def narrow(self, mailable: Container[int]) -> None:
        """Let only those wait on who may still be mailed, as was just looked up."""
        self._waiting = deque(each for each in self._waiting if each.number in mailable)
        self._written = deque(each for each in self._written if each[0].number in mailable)
        self._fresh_until = self._time() + FRESH_SECONDS
        self._look_over()

    def stop(self) -> None:
        """Take nothing more; what waits stays undecided."""
        self._stopped = True
        self._waiting.clear()
        self._written.clear()
        self._look_over()

    def lose_relay(self, trouble: BaseException) -> None:
        """Stop, because the relay can't be used."""
        self.trouble = trouble
        self.stop()

    async def sign(self, ready: Callable[[], object]) -> None:
        """Write and sign ahead of the connections, and say each time when more is ready, until none waits."""
        while self._signer is not None and self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(_SIGNED_AT_ONCE, len(self._waiting)))]
            self._out += len(taken)
            try:
                signed = await self._sign([each for each in map(self._write, taken) if each is not None])
            finally:
                self._out -= len(taken)
            if not self._stopped:
                self._written += signed
            ready()
            self._look_over()

    async def _sign(self, written: list[Written]) -> list[Written]:
        assert self._signer is not None
        try:
            headers = await self._signer.sign([content for _, _, content in written])
        except UnsignableMail:
            if len(written) > 1:
                return [signed for each in written for signed in await self._sign([each])]
            return self._give_up(written[0][0], "UnsignableMail")
        return [
            (recipient, envelope, header + content)
            for (recipient, envelope, content), header in zip(written, headers, strict=True)
        ]

    def _write(self, recipient: Recipient) -> Written | None:
        try:
            return recipient, *self._edition.write(recipient)
        except Exception as error:
            self._give_up(recipient, type(error).__name__)
            return None

    def _give_up(self, recipient: Recipient, kind: str) -> list[Written]:
        # Nothing has left, and nothing will by trying again: this one mail can't be written.
        _log.error("mail_not_written", kind=kind)
        self.tried.append((recipient, Outcome(OutcomeKind.REFUSED, Stage.WRITE)))
        return []

    def _begin(self, number: int) -> None:
        if self._journal is not None:
            self._journal.begin(number)
        if self._clock.monotonic() > self._held.deadline:
            self.stop()
            raise Withheld

    def _look_over(self) -> None:
        if not self._out and not self._waiting and not self._written:
            self.over.set()
