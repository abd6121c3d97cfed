"""The worker's side of a mailing: lanes lease blocks and go through them window by window, over one line to the relay.

While one lane records, another's mail leaves, so the line never runs dry. A window's end is committed before any of its
mail leaves; its size follows from how long the last one took, so that pausing, stopping and leaving act at once.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from newsletter.delivery import ledger
from newsletter.delivery.lane.recording import Errand, Recorder, Reported, Watcher
from newsletter.delivery.lane.window import Held, Tried, Window
from newsletter.delivery.pace.rules import Places
from newsletter.delivery.rules import BLOCK_SIZE, LANES, RENEW_SECONDS, relay_wait, sender_refused, window_size
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.installation import Installation
from newsletter.issues.limits import InvalidIssue
from newsletter.logs import get_logger, where
from newsletter.mail.message import InvalidHeader
from newsletter.mail.wire.line import Line
from newsletter.mail.wire.lines import Lines
from newsletter.mail.wire.relays import domain_of
from newsletter.mail.wire.trouble import Trouble

if TYPE_CHECKING:
    from newsletter.delivery.lane.content import Edition

__all__ = ["DRAIN_SECONDS", "Reported", "Sender", "Tried", "Watcher"]

_log = get_logger(__name__)
# After a stop signal, what is undecided after so many seconds becomes in doubt (DESIGN §5).
DRAIN_SECONDS = 6.0
# How often those who still wait are looked up again.
LOOK_SECONDS = 0.2


class Sender:
    """Works on mailings for one worker process, named `owner`.

    `lanes` and the `largest` window bound what may be in doubt where a whole machine is lost: their product, which is a
    block for each mailing where nothing else is said.
    """

    def __init__(
        self,
        installation: Installation,
        lines: Lines,
        owner: str,
        watcher: Watcher,
        *,
        lanes: int | None = None,
        largest: int | None = None,
    ) -> None:
        self._installation = installation
        self._lines = lines
        self._stopping = asyncio.Event()
        self._recorder = Recorder(installation, owner, watcher, self._stopping)
        # SQLite is carried out in this process, where two lanes would only take time from each other.
        self._lanes = lanes or (1 if installation.database.on_sqlite else LANES)
        self._largest = largest or BLOCK_SIZE // self._lanes
        self._idle = asyncio.Condition()
        self._busy = 0
        self._failures = 0
        self._places = Places()

    async def take_up(self) -> None:
        """Go on from where a killed predecessor of our name was: its journals are ours. Call it before the work."""
        await self._recorder.take_up()

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
        # What makes an issue is loaded with the first that is sent.
        from newsletter.delivery.lane.content import edition_of

        async with self._installation.database.read() as session:
            mailing = await session.get(Mailing, mailing_id)
            if mailing is None or mailing.state != MailingState.SENDING:
                return
            try:
                edition = await edition_of(session, self._installation, mailing.issue_id, mailing.id)
            except (InvalidIssue, InvalidHeader) as error:
                _log.error("issue_not_written", kind=type(error).__name__)
                await self._recorder.pause(mailing_id, f"This issue can't be written: {error}")
                return
        sender = edition.newsletter.sender_address
        connections = self._lines.first(sender).connections.limit
        count = min(self._lanes, connections)
        errand = Errand(mailing, sender, connections, max(1, connections // count))
        lanes = [asyncio.create_task(self._go_along(errand, edition)) for _ in range(count)]
        try:
            await asyncio.gather(*lanes)
        finally:
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)

    async def _go_along(self, errand: Errand, edition: "Edition") -> None:
        """Be one lane: window after window, block after block."""
        least = min(errand.connections, self._largest)
        time = asyncio.get_running_loop().time
        size = least
        held = await self._recorder.first(errand, size)
        while held is not None:
            line, began = self._lines.pick(errand.sender), time()
            tried = await self._send_window(edition, held, line)
            held.took = time() - began
            size = window_size(len(held.recipients), held.took, least, self._largest)
            trouble = _trouble(held, tried, line)
            self._lines.note(line, usable=held.trouble is None)
            held = await self._recorder.next(errand, held, tried, size, trouble)
            if trouble is None:
                self._failures = 0
            elif await self._wait_for_relay(trouble, errand.sender):
                held = await self._recorder.first(errand, least)

    async def _send_window(self, edition: "Edition", held: Held, line: Line) -> list[Tried]:
        """Send to all of a window. After a stop signal nothing more is begun, and what takes too long is cut off."""
        self._places.cap({domain_of(each.email) for each in held.recipients} if held.caps else (), held.caps)
        window = Window(edition, held, self._installation.clock, self._lines.signer, self._places)
        signing = asyncio.create_task(window.sign(line.wake))
        looking = asyncio.create_task(self._look_after(window, held, line))
        try:
            await line.carry(window)
        finally:
            window.stop()
            signing.cancel()
            await asyncio.gather(signing, looking, return_exceptions=True)
        held.trouble = window.trouble
        return window.tried

    async def _look_after(self, window: Window, held: Held, line: Line) -> None:
        """While a window is on its way: keep its lease, and let nobody of it wait on who has left."""
        try:
            await self._look_again_and_again(window, held, line)
        except Exception as error:
            # Nobody looks any more, so nothing may be begun any more.
            _log.error("window_lost_sight_of", kind=type(error).__name__, where=where(error))
            window.stop()

    async def _look_again_and_again(self, window: Window, held: Held, line: Line) -> None:
        time = asyncio.get_running_loop().time
        renewed_at = time()
        while not await _happens(window.over, LOOK_SECONDS):
            if self._stopping.is_set():
                window.stop()
                if not await _happens(window.over, DRAIN_SECONDS):
                    await self._lines.cut_off()
                return
            try:
                if time() - renewed_at > RENEW_SECONDS:
                    renewed_at = time()
                    await self._renew(window, held)
                elif waiting := window.waiting:
                    async with self._installation.database.read() as session:
                        window.narrow(waiting, await ledger.still_mailable(session, held.block, waiting))
                    line.wake()
            except (DBAPIError, OSError) as error:
                _log.warning("window_not_looked_after", kind=type(error).__name__)

    async def _renew(self, window: Window, held: Held) -> None:
        deadline = await self._recorder.renew(held)
        if deadline is None:
            window.stop()
        else:
            held.deadline = deadline

    async def _wait_for_relay(self, trouble: Trouble, sender: str) -> bool:
        """Wait before the relay is tried again; say whether it is to be: not after a stop signal.

        Where another one stands in, that takes no time.
        """
        self._failures += 1
        stands_in = self._lines.stands_in(sender)
        wait = 0.0 if stands_in else relay_wait(self._failures)
        _log.warning("relay_unusable", seconds=wait, trouble=trouble.kind, why=trouble.sentence)
        return not await _happens(self._stopping, wait)


def _trouble(held: Held, tried: Sequence[Tried], line: Line) -> Trouble | None:
    """Say what kept the relay from being used, if anything did."""
    if held.trouble is not None:
        return line.connections.explain(held.trouble)
    if sender_refused([outcome for _, outcome in tried]):
        return line.connections.explain_refusal(tried[0][1])
    return None


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event that long; say whether it happened."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
