"""One marked window on its way: who waits, who has left, and what came of it.

A mail is written when a connection has room for it, and only as long as two things hold. Its recipient was seen to be
mailable a moment ago (RULES E3). And the lease is ours, by a clock that goes on while a process is stopped or a
machine sleeps: the journal is marked first and the clock read then, so whoever took the block over meanwhile has seen
that mark.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from newsletter.clock import Clock
from newsletter.delivery.lane.journal import Journal
from newsletter.delivery.ledger import Recipient
from newsletter.delivery.pace.rules import Places
from newsletter.delivery.tables import Block
from newsletter.logs import get_logger
from newsletter.mail.dkim.signing import Signer, UnsignableMail
from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage, relay_failed, sender_failed
from newsletter.mail.wire.conversation import Mail
from newsletter.mail.wire.pipeline import Withheld
from newsletter.mail.wire.relays import domain_of

if TYPE_CHECKING:
    from newsletter.delivery.lane.content import Edition

# How long a look at who may be mailed counts.
FRESH_SECONDS = 0.5
# How many mails are signed in one go.
_SIGNED_AT_ONCE = 16
_log = get_logger(__name__)
Tried = tuple[Recipient, Outcome]
Written = tuple[Recipient, Envelope, bytes]


class _Nobody(Enum):
    NOBODY = auto()


_NOBODY = _Nobody.NOBODY


@dataclass(slots=True)
class Held:
    """A marked window of a block that is ours until `deadline`, by the clock's `monotonic`.

    `caps` are how many connections some domains may hold, `again_at` is when the block is to be come back to for those
    of it who were held back. What the replies took, each and all, is noted in seconds.
    """

    block: Block
    recipients: Sequence[Recipient]
    journal: Journal | None
    deadline: float
    caps: Mapping[str, int] = field(default_factory=dict)
    again_at: float | None = None
    seconds: dict[int, float] = field(default_factory=dict)
    took: float = 0.0
    trouble: BaseException | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Parcel(Mail):
    """A mail of a window, and when it was taken."""

    recipient: Recipient
    since: float


class Window:
    """The deliveries of a window, until each of them is tried or given up for now."""

    def __init__(
        self, edition: "Edition", held: Held, clock: Clock, signer: Signer | None = None, places: Places | None = None
    ) -> None:
        self.tried: list[Tried] = []
        self.over = asyncio.Event()
        self.trouble: BaseException | None = None
        self._edition = edition
        self._held = held
        self._journal = held.journal
        self._clock = clock
        self._signer = signer
        self._places = places if held.caps else None
        self._waiting = deque(held.recipients)
        self._written: deque[Written] = deque()
        self._signing: set[int] = set()
        self._again: set[int] = set()
        self._withheld: set[int] = set()
        self._out = 0
        self._stopped = False
        self._time = asyncio.get_running_loop().time
        self._fresh_until = self._time() + FRESH_SECONDS

    @property
    def ready(self) -> int:
        """Give how many mails can be taken now."""
        if self._time() > self._fresh_until:
            return 0
        waiting = () if self._signer else self._waiting
        if self._places is None:
            return len(self._written) + len(waiting)
        domains = [_domain(each[0]) for each in self._written] + [_domain(each) for each in waiting]
        return sum(map(self._places.free, domains))

    @property
    def waiting(self) -> set[int]:
        """Give the numbers of those that have not been taken yet."""
        written = {each[0].number for each in self._written}
        return {each.number for each in self._waiting} | written | self._signing

    def take(self) -> Mail | None:
        """Give the next mail; None where there is none for now."""
        while self.ready and (written := self._next()) is not _NOBODY:
            if written is not None:
                recipient, envelope, content = written
                self._out += 1
                begun = partial(self._begin, recipient.number)
                return Parcel(envelope, content, begun, recipient=recipient, since=self._time())
        self._look_over()
        return None

    def done(self, mail: Mail, outcome: Outcome) -> None:
        """Take note of what became of a mail. What the relay did not even look at is tried once more."""
        assert isinstance(mail, Parcel)
        recipient = mail.recipient
        self._out -= 1
        if self._places is not None:
            self._places.leave(_domain(recipient))
        if recipient.number in self._withheld:
            if self._journal is not None:
                self._journal.take_back(recipient.number)
        elif not relay_failed(outcome):
            self.tried.append((recipient, outcome))
            self._held.seconds[recipient.number] = self._time() - mail.since
            if self._journal is not None and not sender_failed(outcome):
                self._journal.settle(recipient.number, outcome)
        elif recipient.number not in self._again and not self._stopped:
            self._again.add(recipient.number)
            self._written.appendleft((recipient, mail.envelope, mail.content))
        self._look_over()

    def _next(self) -> "Written | _Nobody | None":
        """Write the next mail; None where it can't be written. Whose domain has no place is passed over."""
        if self._places is None:
            return self._written.popleft() if self._written else self._write(self._waiting.popleft())
        if (written := self._places.next(self._written, lambda each: _domain(each[0]))) is not None:
            return written
        if self._signer or (recipient := self._places.next(self._waiting, _domain)) is None:
            return _NOBODY
        if (written := self._write(recipient)) is None:
            self._places.leave(_domain(recipient))
        return written

    def narrow(self, asked: Container[int], mailable: Container[int]) -> None:
        """Let only those wait on who may still be mailed, of whom it was just asked.

        Who came back from the relay meanwhile was not asked about, and is the next time.
        """
        gone = {number for number in self.waiting if number in asked and number not in mailable}
        self._waiting = deque(each for each in self._waiting if each.number not in gone)
        self._written = deque(each for each in self._written if each[0].number not in gone)
        self._signing -= gone
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
            self._signing = {each.number for each in taken}
            try:
                signed = await self._sign([each for each in map(self._write, taken) if each is not None])
            finally:
                self._out -= len(taken)
            if not self._stopped:
                self._written += [each for each in signed if each[0].number in self._signing]
            self._signing = set()
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
            # Nothing of it has left, and nothing will.
            self._withheld.add(number)
            self.stop()
            raise Withheld

    def _look_over(self) -> None:
        if not self._out and not self._waiting and not self._written:
            self.over.set()


def _domain(recipient: Recipient) -> str:
    return domain_of(recipient.email)
