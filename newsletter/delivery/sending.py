"""The worker's side of a mailing: lease a block, and go through it window by window.

A window is never larger than the number of connections. Its end is committed before any of its mail leaves, and its
results together with the marking of the next window. So whatever is killed, whenever: nobody gets an issue twice,
nobody is left out, and at most a window is in doubt (promise P4).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError

from newsletter.database import Session
from newsletter.delivery import ledger, leftovers
from newsletter.delivery.content import Edition, edition_of
from newsletter.delivery.ledger import Recipient, Recorded
from newsletter.delivery.rules import RENEW_SECONDS, relay_failed, relay_wait, retry_at
from newsletter.delivery.tables import Block, Mailing, MailingState
from newsletter.installation import Installation
from newsletter.mail.smtp import Connections, Outcome, OutcomeKind, Stage
from newsletter.tokens import jitter

_log = structlog.get_logger(__name__)
# After a stop signal, what is undecided after so many seconds becomes in doubt (DESIGN §5).
DRAIN_SECONDS = 6.0
# How long what is known waits for a database that fails for a moment, before it must count as unknown.
_PATIENCE_SECONDS = (0.1, 0.5, 2.0, 5.0, 10.0)
Tried = tuple[Recipient, Outcome]


@dataclass(frozen=True, slots=True)
class Reported:
    """An outcome as those who watch over dead addresses need it; a letter's is of no mailing."""

    mailing_id: str | None
    subscriber_id: str
    email: str
    outcome: Outcome


Watcher = Callable[[Session, Sequence[Reported]], Awaitable[None]]


class Sender:
    """Works on mailings for one worker process, named `owner`."""

    def __init__(self, installation: Installation, connections: Connections, owner: str, watcher: Watcher) -> None:
        self._installation = installation
        self._connections = connections
        self._owner = owner
        self._watcher = watcher
        self._stopping = asyncio.Event()
        self._idle = asyncio.Condition()
        self._busy = 0
        self._failures = 0

    def stop(self) -> None:
        """Begin no further window."""
        self._stopping.set()

    async def drained(self) -> None:
        """Wait until the windows that are on their way are recorded."""
        async with self._idle:
            await self._idle.wait_for(lambda: self._busy == 0)

    async def work_on(self, mailing_id: str) -> None:
        """Send until no block of the mailing is due, or it is paused, or a stop is asked for."""
        self._busy += 1
        try:
            await self._work_on(mailing_id)
        finally:
            self._busy -= 1
            async with self._idle:
                self._idle.notify_all()

    async def _work_on(self, mailing_id: str) -> None:
        database = self._installation.database
        async with database.read() as session:
            mailing = await session.get(Mailing, mailing_id)
            if mailing is None or mailing.state != MailingState.SENDING:
                return
            edition = await edition_of(session, self._installation, mailing.issue_id)
        while not self._stopping.is_set():
            async with database.write() as session:
                block = await ledger.lease(session, mailing_id, self._owner)
            if block is None:
                return
            await self._work_through(mailing, edition, block)

    async def _work_through(self, mailing: Mailing, edition: Edition, block: Block) -> None:
        tried: Sequence[Tried] = ()
        while True:
            block, recipients = await self._record(mailing, block, tried)
            if not recipients:
                return
            async with self._renewing(block):
                tried = await self._send_window(edition, recipients)
            if all(relay_failed(outcome) for _, outcome in tried):
                await self._give_back(block)
                return
            self._failures = 0

    async def _record(self, mailing: Mailing, block: Block, tried: Sequence[Tried]) -> tuple[Block, list[Recipient]]:
        """Record a window, mark the next. A database that fails for a moment turns nothing that is known to doubt."""
        for seconds in _PATIENCE_SECONDS:
            try:
                return await self._record_once(mailing, block, tried)
            except IntegrityError:
                raise
            except (DBAPIError, OSError) as error:
                _log.warning("window_not_recorded", kind=type(error).__name__)
            await self._pause(seconds)
        return await self._record_once(mailing, block, tried)

    async def _record_once(
        self, mailing: Mailing, block: Block, tried: Sequence[Tried]
    ) -> tuple[Block, list[Recipient]]:
        changed = Block(**block.model_dump())
        async with self._installation.database.write() as session:
            return changed, await self._advance(session, mailing, changed, tried)

    async def _advance(
        self, session: Session, mailing: Mailing, block: Block, tried: Sequence[Tried]
    ) -> list[Recipient]:
        """Record a window's results and mark the next one, in this one transaction; nobody when the block is let go."""
        holding = await ledger.hold(session, block)
        recorded = await self._decide(session, mailing, block, tried)
        if not holding:
            await ledger.append_late(session, block, recorded)
            return []
        await ledger.append(session, mailing.id, recorded)
        await self._report(session, mailing.id, recorded)
        _count(block, recorded)
        block.done_to = block.marked_to
        state = await session.get(Mailing, mailing.id, populate_existing=True)
        going_on = state is not None and state.state == MailingState.SENDING and not self._stopping.is_set()
        recipients = await ledger.window(session, block, self._connections.limit) if going_on else []
        if recipients:
            block.marked_to = recipients[-1].number + 1
            await ledger.hold(session, block, **_progress(block))
            return recipients
        if going_on:
            await self._end_pass(session, block)
        await ledger.hold(session, block, **_progress(block), leased_until=0.0, lease=None, owner=None)
        return []

    async def _decide(self, session: Session, mailing: Mailing, block: Block, tried: Sequence[Tried]) -> list[Recorded]:
        """Say what follows from each outcome, and when to try again by the database's clock."""
        if not tried:
            return []
        now = await ledger.now(session)
        age = (self._installation.clock.now() - (mailing.started_at or mailing.created_at)).total_seconds()
        recorded = []
        for recipient, outcome in tried:
            later = retry_at(outcome, recipient.tries + 1, age, now, jitter(1.0, 1.5))
            recorded.append(Recorded(recipient, block.pass_number, outcome, later))
        return recorded

    async def _end_pass(self, session: Session, block: Block) -> None:
        due = await ledger.next_retry(session, block)
        block.done_to = block.marked_to = block.first
        block.pass_number += 1
        if due is not None:
            block.due_at = due
            return
        # What is left over has left: unsubscribed or erased since the audience was frozen.
        block.deferred = 0
        decided = block.delivered + block.refused + block.in_doubt
        block.withdrawn = block.last - block.first + 1 - decided
        block.finished = True
        block.due_at = block.pass_at = 0.0
        await leftovers.forget_retries(session, block)

    async def _send_window(self, edition: Edition, recipients: Sequence[Recipient]) -> list[Tried]:
        """Send to all at once. After a stop signal, what takes too long is cut off."""
        begun: set[int] = set()
        sending = [asyncio.create_task(self._send(edition, recipient, begun)) for recipient in recipients]
        everything = asyncio.gather(*sending, return_exceptions=True)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((everything, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not everything.done():
                await asyncio.wait((everything,), timeout=DRAIN_SECONDS)
        finally:
            stopping.cancel()
            for task in sending:
                task.cancel()
        results = await everything
        return [
            (recipient, _outcome_of(result, begun=recipient.number in begun))
            for recipient, result in zip(recipients, results, strict=True)
        ]

    async def _send(self, edition: Edition, recipient: Recipient, begun: set[int]) -> Outcome:
        try:
            envelope, content = edition.write(recipient)
        except Exception as error:
            # Nothing has left, and nothing will by trying again: this one mail can't be written.
            _log.error("mail_not_written", kind=type(error).__name__)
            return Outcome(OutcomeKind.REFUSED, Stage.WRITE)
        return await self._connections.send(envelope, content, lambda: begun.add(recipient.number))

    async def _report(self, session: Session, mailing_id: str, recorded: Sequence[Recorded]) -> None:
        if recorded:
            await self._watcher(
                session,
                [
                    Reported(mailing_id, item.recipient.subscriber_id, item.recipient.email, item.outcome)
                    for item in recorded
                ],
            )

    async def _give_back(self, block: Block) -> None:
        """The relay could not be reached, so nothing was attempted: unmark the window, and wait a while."""
        async with self._installation.database.write() as session:
            await ledger.hold(session, block, marked_to=block.done_to, leased_until=0.0, lease=None, owner=None)
        self._failures += 1
        wait = relay_wait(self._failures)
        _log.warning("relay_unreachable", seconds=wait)
        await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    @contextlib.asynccontextmanager
    async def _renewing(self, block: Block) -> AsyncIterator[None]:
        """Keep the lease while a slow relay takes its time."""
        over = asyncio.Event()

        async def renew() -> None:
            async with self._installation.database.write() as session:
                await ledger.hold(session, block)

        # It is told to end, not cut off: a transaction must not be cancelled half-way.
        task = asyncio.create_task(_repeat(RENEW_SECONDS, renew, over))
        try:
            yield
        finally:
            over.set()
            await task


async def _repeat(seconds: float, work: Callable[[], Awaitable[None]], over: asyncio.Event) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), seconds)
            return
        try:
            await work()
        except (DBAPIError, OSError) as error:
            _log.warning("lease_not_renewed", kind=type(error).__name__)


def _outcome_of(result: Outcome | BaseException, *, begun: bool) -> Outcome:
    if isinstance(result, Outcome):
        return result
    if not isinstance(result, asyncio.CancelledError):
        _log.error("mail_failed", kind=type(result).__name__)
    if begun:
        return Outcome(OutcomeKind.IN_DOUBT, Stage.DATA)
    if isinstance(result, asyncio.CancelledError):
        return Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT)
    return Outcome(OutcomeKind.REFUSED, Stage.WRITE)


def _count(block: Block, recorded: Sequence[Recorded]) -> None:
    for item in recorded:
        if item.attempt > 1:
            block.deferred -= 1
        name = str(item.kind)
        setattr(block, name, getattr(block, name) + 1)


def _progress(block: Block) -> dict[str, object]:
    names = ("done_to", "marked_to", "pass_number", "due_at", "pass_at", "finished", *ledger.COUNTERS)
    return {name: getattr(block, name) for name in names}
