"""One transaction of a mailing: what a window brought is recorded, and the next one marked.

Where the block has no further window, the next block is leased in the same commit. So whatever is killed, whenever,
the ledger says of each delivery that it is decided, or that it was never begun, or that it was in a marked window; and
of those the journal says which were on their way (promise P4).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from sqlalchemy import update
from sqlmodel import col

from newsletter.agreements.traces.tombstones import Lookout
from newsletter.database import Session
from newsletter.delivery import ledger
from newsletter.delivery.lane import leftovers, recovery
from newsletter.delivery.lane.journal import Journal
from newsletter.delivery.lane.pacer import Pacer
from newsletter.delivery.lane.window import Held, Tried
from newsletter.delivery.ledger import Recipient, Recorded
from newsletter.delivery.pace.actions import Grant
from newsletter.delivery.pace.rules import admitted
from newsletter.delivery.rules import LEASE_MARGIN_SECONDS, LEASE_SECONDS, move, retry_at, sender_refused, undecided_at
from newsletter.delivery.tables import Block, Mailing, MailingState
from newsletter.installation import Installation
from newsletter.logs import get_logger
from newsletter.mail.outcome import Outcome, OutcomeKind, sender_failed
from newsletter.mail.wire.trouble import Trouble
from newsletter.tokens import jitter

_log = get_logger(__name__)
# Blocks of whom nobody is left are passed over, so many in one transaction.
_MOST_EMPTY = 20


class Reported(NamedTuple):
    """An outcome as those who watch over dead addresses need it; a letter's is of no mailing."""

    mailing_id: str | None
    subscriber_id: str
    email: str
    outcome: Outcome


Watcher = Callable[[Session, Sequence[Reported]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Errand:
    """What a lane is to do: which mailing, from which sender, over how many connections.

    `without_journal` is how large a window may be that no journal can be kept of.
    """

    mailing: Mailing
    sender: str
    connections: int
    without_journal: int


@dataclass(frozen=True, slots=True)
class Recording:
    """What the steps of one worker share. `owner` is the worker's name."""

    installation: Installation
    owner: str
    watcher: Watcher
    stopping: asyncio.Event
    pacer: Pacer
    lookout: Lookout

    def deadline(self) -> float:
        """Give until when a lease is surely ours that is taken from now on."""
        return self.installation.clock.monotonic() + LEASE_SECONDS - LEASE_MARGIN_SECONDS

    async def report(self, session: Session, mailing_id: str, recorded: Sequence[Recorded]) -> None:
        """Tell the watcher, last: what it tallies is everybody's, and locked until the commit."""
        if recorded:
            told = [
                Reported(mailing_id, item.recipient.subscriber_id, item.recipient.email, item.outcome)
                for item in recorded
            ]
            await self.watcher(session, told)


class Step:
    """One transaction: made for one try, and thrown away with it. `marked` is the next window.

    `passed_over` is when everybody in the block that was looked at has to wait for their domain: try another one.
    """

    def __init__(
        self,
        worker: Recording,
        errand: Errand,
        held: Held | None,
        tried: Sequence[Tried],
        size: int,
        trouble: Trouble | None = None,
    ) -> None:
        self.marked: Held | None = None
        self.passed_over = False
        self._by = worker
        self._installation = worker.installation
        self._errand = errand
        self._mailing = errand.mailing
        self._held = held
        self._tried = tried
        self._size = size
        self._trouble = trouble
        self._refused = sender_refused([outcome for _, outcome in tried])
        self._now = 0.0
        self._opened: Journal | None = None
        self._reports: list[Recorded] = []

    async def take(self) -> Held | None:
        """Take the step, and give the next window."""
        deadline = self._by.deadline()
        try:
            marked = await self._installation.database.write_at_once(partial(self._take, deadline), quietly=True)
        except BaseException:
            if self._opened is not None:
                self._opened.leave()
            raise
        if self._held is not None and self._held.journal is not None:
            self._held.journal.close()
        self.marked = marked
        return marked

    async def _take(self, deadline: float, session: Session) -> Held | None:
        # A database that came back from the past must catch up first.
        behind = await self._by.lookout.is_behind(session)
        going_on = await self._look_at_mailing(session) and not behind
        found = await self._go_on(session, going_on=going_on)
        if found is None and going_on:
            found = await self._lease(session)
        await self._by.report(session, self._mailing.id, self._reports)
        # The paces last of all: what they lock is every worker's.
        candidates = found[1] if found else []
        grant = await self._by.pacer.turn(session, self._errand.sender, self._held, self._tried, candidates)
        return await self._mark(session, *found, grant, deadline) if found else None

    async def _go_on(self, session: Session, *, going_on: bool) -> tuple[Block, list[Recipient]] | None:
        """Record what the last window brought; give the block and whom its next one could go to."""
        if self._held is None:
            return None
        block = Block(**self._held.block.model_dump())
        if not await self._record(session, block):
            return None
        if candidates := await ledger.window(session, block, self._size) if going_on else []:
            return block, candidates
        await self._let_go(session, block, self._held.again_at, passed=going_on)
        return None

    async def _look_at_mailing(self, session: Session) -> bool:
        """Say whether the mailing goes on, and let it say what keeps it; a sender that is refused is for an editor."""
        standing = await ledger.standing(session, self._mailing.id)
        if standing is None:
            return False
        state, trouble, self._now = standing
        changes: dict[str, str | None] = {}
        sentence = self._trouble.sentence if self._trouble else None
        # One that was paused says why already.
        if self._held is not None and state == MailingState.SENDING and trouble != sentence:
            changes["trouble"] = sentence
        if self._refused and state == MailingState.SENDING:
            changes["state"] = state = move(state, "pause")
        if changes:
            await session.execute(update(Mailing).where(col(Mailing.id) == self._mailing.id).values(changes))
        return state == MailingState.SENDING and self._trouble is None and not self._by.stopping.is_set()

    async def _record(self, session: Session, block: Block) -> bool:
        """Record what the last window brought; say whether the block is still ours."""
        holding = await ledger.hold(session, block)
        recorded = self._decide(block)
        if not holding:
            await ledger.append_late(session, block, recorded)
            return False
        await ledger.append(session, block.mailing_id, recorded)
        ledger.count(block, recorded)
        block.done_to = block.marked_to
        self._reports += recorded
        return True

    def _decide(self, block: Block) -> list[Recorded]:
        """Say what follows from each outcome, and when to try again by the database's clock.

        Whose mail fell to a refusal of our sender stays undecided: if that goes on, the next window says so.
        """
        if not self._tried or self._refused:
            return []
        now, mailing = self._now, self._mailing
        age = (self._installation.clock.now() - (mailing.started_at or mailing.created_at)).total_seconds()

        def later(recipient: Recipient, outcome: Outcome) -> float | None:
            if outcome.kind is OutcomeKind.DELIVERED:
                return None
            return retry_at(outcome, recipient.tries + 1, age, now, jitter(1.0, 1.5))

        return [
            Recorded(recipient, block.pass_number, outcome, later(recipient, outcome))
            for recipient, outcome in self._tried
            if not sender_failed(outcome)
        ]

    async def _mark(
        self, session: Session, block: Block, candidates: list[Recipient], grant: Grant | None, deadline: float
    ) -> Held | None:
        """Mark the next window, as many of the candidates as their paces let; its journal is open before the commit."""
        again_at = _earlier(self._held.again_at if self._held else None, grant.again_at if grant else None)
        recipients = candidates
        if grant is not None:
            may = admitted([each.email for each in candidates], grant.domains)
            recipients = [each for each, is_admitted in zip(candidates, may, strict=True) if is_admitted]
        if not recipients:
            self.passed_over = True
            block.due_at = again_at or undecided_at(self._now, jitter(1.0, 1.5))
            await self._let_go(session, block, again_at, passed=False)
            return None
        journal = self._journal(block, candidates[-1].number)
        if journal is None:
            recipients = recipients[: self._errand.without_journal]
            candidates = recipients
        block.marked_to = candidates[-1].number + 1
        await ledger.hold(session, block, **ledger.progress(block))
        caps = await self._by.pacer.caps(session, grant, self._errand.connections)
        return Held(block, recipients, journal, deadline, caps, again_at)

    def _journal(self, block: Block, last: int) -> Journal | None:
        try:
            self._opened = Journal(self._installation.settings.journal_dir, block, block.done_to, last)
            return self._opened
        except OSError as error:
            _log.error("no_journal", kind=type(error).__name__, why="windows are small, so mailings are slow")
            return None

    async def _let_go(self, session: Session, block: Block, again_at: float | None, *, passed: bool) -> None:
        """Give the block back; `passed` when there was nobody left in this pass over it."""
        block.done_to = block.marked_to = block.first
        if passed:
            await self._end_pass(session, block, again_at)
        await ledger.hold(session, block, **ledger.progress(block), leased_until=0.0, lease=None, owner=None)

    async def _end_pass(self, session: Session, block: Block, again_at: float | None) -> None:
        soon = again_at or undecided_at(self._now, jitter(1.0, 1.5))
        due = await ledger.next_due(session, block, soon)
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
        if block.pass_number > 2:
            await leftovers.forget_retries(session, block)

    async def _lease(self, session: Session) -> tuple[Block, list[Recipient]] | None:
        """Lease a block that is due; give it and whom its first window could go to."""
        for _ in range(_MOST_EMPTY):
            block = await ledger.free(session, self._mailing.id)
            if block is None:
                return None
            self._reports += await recovery.settle(session, self._installation, block)
            await ledger.take(session, block, self._by.owner)
            held = Block(**block.model_dump())
            if candidates := await ledger.window(session, held, self._size):
                return held, candidates
            await self._let_go(session, held, None, passed=True)
            await session.refresh(block)
        return None


def _earlier(one: float | None, other: float | None) -> float | None:
    return min((each for each in (one, other) if each is not None), default=None)
