"""The worker's side of a mailing: lease a block, and go through it window by window.

A window is never larger than the number of connections. Its end is committed before any of its mail leaves, and its
results together with the marking of the next window. So whatever is killed, whenever: nobody gets an issue twice,
nobody is left out, and at most a window is in doubt (promise P4).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from newsletter.database import Session
from newsletter.delivery import ledger
from newsletter.delivery.content import Edition, edition_of
from newsletter.delivery.ledger import Recipient, Recorded
from newsletter.delivery.rules import RENEW_SECONDS, relay_wait, retry_at
from newsletter.delivery.tables import Block, Mailing, MailingState
from newsletter.installation import Installation
from newsletter.mail.smtp import Connections, Outcome, OutcomeKind, Stage
from newsletter.tokens import jitter

_log = structlog.get_logger(__name__)
# After a stop signal, what is undecided after so many seconds becomes in doubt (DESIGN §5).
DRAIN_SECONDS = 7.0


@dataclass(frozen=True, slots=True)
class Reported:
    """An outcome as those who watch over dead addresses need it."""

    mailing_id: str
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
        recorded: list[Recorded] = []
        while True:
            async with self._installation.database.write() as session:
                recipients = await self._advance(session, mailing, block, recorded)
            if recipients is None:
                return
            async with self._renewing(block):
                recorded = await self._send_window(mailing, edition, block, recipients)
            if all(item.outcome.kind is OutcomeKind.NOT_ATTEMPTED and item.retry_at for item in recorded):
                await self._give_back(block)
                return
            self._failures = 0

    async def _advance(
        self, session: Session, mailing: Mailing, block: Block, recorded: Sequence[Recorded]
    ) -> list[Recipient] | None:
        """Record a window's results and mark the next one, in this one transaction; None when the block is to be let
        go.
        """
        if not await ledger.hold(session, block):
            await ledger.append_late(session, block, recorded)
            return None
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
        return None

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

    async def _send_window(
        self, mailing: Mailing, edition: Edition, block: Block, recipients: Sequence[Recipient]
    ) -> list[Recorded]:
        sending = [asyncio.create_task(self._send(edition, recipient)) for recipient in recipients]
        stopping: asyncio.Future[Any] = asyncio.create_task(self._stopping.wait())
        everything: asyncio.Future[Any] = asyncio.gather(*sending, return_exceptions=True)
        await asyncio.wait({everything, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not everything.done():
            await asyncio.wait({everything}, timeout=DRAIN_SECONDS)
        stopping.cancel()
        now = self._installation.clock.now().timestamp()
        started = (mailing.started_at or mailing.created_at).timestamp()
        recorded = []
        for recipient, task in zip(recipients, sending, strict=True):
            outcome = _outcome_of(task)
            later = retry_at(outcome, block.pass_number, now, started, jitter(1.0, 1.5)) if _again(outcome) else None
            recorded.append(Recorded(recipient, block.pass_number, outcome, later))
        await asyncio.gather(*sending, return_exceptions=True)
        return recorded

    async def _send(self, edition: Edition, recipient: Recipient) -> Outcome:
        try:
            envelope, content = edition.write(recipient)
        except Exception as error:
            # Nothing has left, and nothing will by trying again: this one mail can't be written.
            _log.error("mail_not_written", kind=type(error).__name__)
            return Outcome(OutcomeKind.REFUSED, Stage.WRITE)
        return await self._connections.send(envelope, content)

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
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), wait)

    @contextlib.asynccontextmanager
    async def _renewing(self, block: Block) -> AsyncIterator[None]:
        """Keep the lease while a slow relay takes its time."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(RENEW_SECONDS)
                async with self._installation.database.write() as session:
                    await ledger.hold(session, block)

        task = asyncio.create_task(renew())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _again(outcome: Outcome) -> bool:
    return outcome.kind in (OutcomeKind.DEFERRED, OutcomeKind.NOT_ATTEMPTED)


def _outcome_of(task: asyncio.Task[Outcome]) -> Outcome:
    if not task.done():
        task.cancel()
        return Outcome(OutcomeKind.IN_DOUBT, Stage.DATA)
    if task.cancelled() or (error := task.exception()) is not None:
        kind = "cancelled" if task.cancelled() else type(error).__name__
        _log.error("mail_failed", kind=kind)
        return Outcome(OutcomeKind.IN_DOUBT, Stage.DATA)
    return task.result()


def _count(block: Block, recorded: Sequence[Recorded]) -> None:
    for item in recorded:
        if item.attempt > 1:
            block.deferred -= 1
        name = str(item.kind)
        setattr(block, name, getattr(block, name) + 1)


def _progress(block: Block) -> dict[str, object]:
    names = (
        "done_to", "marked_to", "pass_number", "due_at", "pass_at", "finished",
        "delivered", "refused", "deferred", "in_doubt", "withdrawn",
    )  # fmt: skip
    return {name: getattr(block, name) for name in names}
