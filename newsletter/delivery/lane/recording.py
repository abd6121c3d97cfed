"""The ledger's side of a worker's lanes: one step after the other, whatever the database does meanwhile.

A step is a transaction (`step.py`). A database that fails for a while turns nothing that is known to doubt: the step is
taken again until it comes through, or a stop signal leaves it to the journal.
"""

import asyncio
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError, IntegrityError

from newsletter.agreements.traces.tombstones import Lookout
from newsletter.delivery import ledger
from newsletter.delivery.lane import recovery
from newsletter.delivery.lane.pacer import Pacer
from newsletter.delivery.lane.step import Errand, Recording, Reported, Step, Watcher
from newsletter.delivery.lane.window import Held, Tried
from newsletter.delivery.ledger import Recorded
from newsletter.delivery.rules import move
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.installation import Installation
from newsletter.logs import get_logger
from newsletter.mail.wire.trouble import Trouble

_log = get_logger(__name__)
# How long what is known waits for a database that fails; the last one again and again, until a stop.
_PATIENCE_SECONDS = (0.1, 0.5, 2.0, 5.0)
_LONGEST_SENTENCE = 500
__all__ = ["Errand", "Recorder", "Reported", "Watcher"]


class Recorder:
    """The ledger's side of one worker's lanes. `owner` is the worker's name."""

    def __init__(self, installation: Installation, owner: str, watcher: Watcher, stopping: asyncio.Event) -> None:
        self._installation = installation
        self._stopping = stopping
        self._recording = Recording(installation, owner, watcher, stopping, Pacer(installation), Lookout(installation))

    async def take_up(self) -> None:
        """Settle what a predecessor of our name left unknown, and give its blocks back.

        In one transaction: on another machine, that has not got its journals, all of its windows would be in doubt.
        """
        reports: dict[str, list[Recorded]] = {}
        async with self._installation.database.write() as session:
            for block in await ledger.unsettled_of(session, self._recording.owner):
                recorded = await recovery.settle(session, self._installation, block)
                reports.setdefault(block.mailing_id, []).extend(recorded)
            await session.flush()
            await ledger.release_of(session, self._recording.owner)
            for mailing_id, recorded in reports.items():
                await self._recording.report(session, mailing_id, recorded)

    async def first(self, errand: Errand, size: int) -> Held | None:
        """Lease a block and mark its first window, of at most `size`; None where there is none to lease."""
        while True:
            step = Step(self._recording, errand, None, (), size)
            if (held := await step.take()) is not None or not step.passed_over:
                return held

    async def next(
        self, errand: Errand, held: Held, tried: Sequence[Tried], size: int, trouble: Trouble | None = None
    ) -> Held | None:
        """Record what a window brought, and mark the next one, in this block or another; none where there is trouble.

        A database that fails for a while turns nothing that is known to doubt.
        """
        step = await self._recorded(errand, held, tried, size, trouble)
        if step is None:
            return None
        return await self.first(errand, size) if step.passed_over else step.marked

    async def _recorded(
        self, errand: Errand, held: Held, tried: Sequence[Tried], size: int, trouble: Trouble | None
    ) -> Step | None:
        attempt = 0
        while True:
            try:
                step = Step(self._recording, errand, held, tried, size, trouble)
                await step.take()
                return step
            except IntegrityError:
                # The commit whose answer was lost had come through. What it marked comes back with its lease.
                _log.warning("window_recorded_already")
                return None
            except (DBAPIError, OSError) as error:
                _log.warning("window_not_recorded", kind=type(error).__name__)
                if self._stopping.is_set():
                    raise  # The journal remembers.
            await self._pause(_PATIENCE_SECONDS[min(attempt, len(_PATIENCE_SECONDS) - 1)])
            attempt += 1

    async def pause(self, mailing_id: str, sentence: str) -> None:
        """Leave a mailing that can't go on as it is to an editor, who reads why."""
        async with self._installation.database.write() as session:
            mailing = await session.get(Mailing, mailing_id, with_for_update=True)
            if mailing is not None and mailing.state == MailingState.SENDING:
                mailing.state, mailing.trouble = move(mailing.state, "pause"), sentence[:_LONGEST_SENTENCE]

    async def renew(self, held: Held) -> float | None:
        """Renew a lease; give until when it is ours, or None where it was lost."""
        deadline = self._recording.deadline()
        async with self._installation.database.write(quietly=True) as session:
            return deadline if await ledger.hold(session, held.block) else None

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
