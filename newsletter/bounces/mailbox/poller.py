"""Fetching bounces from a mailbox, for whom a mail server delivers them there.

One worker of all looks into it, now and then. Of each mail that is new it reads the headers that name recipients; what
is to an address of ours it takes, and moves away after the commit, and the rest stays as it lies, unread. How far it
was looked through is noted after that: whoever is killed in between does the last of it again, and a report that is
taken twice is one.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from newsletter.bounces.mailbox import mark as mailbox_mark
from newsletter.bounces.mailbox.connection import FAILURES, reason_of
from newsletter.bounces.mailbox.server import Folder
from newsletter.bounces.mailbox.tables import WAY
from newsletter.bounces.mailbox.url import MailboxPlace, mailbox_of
from newsletter.bounces.reports import actions as reports
from newsletter.bounces.reports import receiving
from newsletter.bounces.reports.actions import Taken
from newsletter.database import is_away
from newsletter.installation import Installation
from newsletter.logs import get_logger, where
from newsletter.mail.wire.relays import rests_until

# At once: heads that are read, and mails that are held in memory.
_HEADS, _MAILS = 100, 20
# Longer than it takes to go through so many, however slowly the server answers.
_LEASE_SECONDS = 300.0
# Without a mailbox of its own a worker tidies up so often after those that had one.
_FORGETTING_SECONDS = 60.0
_NOWHERE = frozenset({Taken.FOREIGN, Taken.FORGED, Taken.EXPIRED})
_log = get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


class MailboxAway(Exception):
    """The mailbox can't be used just now; the text says why, and nothing that the server said."""


class Poller:
    """The loop of a worker that fetches from the mailbox of NEWSLETTER_IMAP_URL, where there is one.

    `name` is the worker's own, and `stopping` says whether it is to end.
    """

    def __init__(self, installation: Installation, name: str, stopping: Callable[[], bool]) -> None:
        self._installation = installation
        self._name = name
        self._stopping = stopping
        self._place = mailbox_of(installation.settings)
        self._folder: Folder | None = None
        self._again_at = 0.0
        self._failures = 0
        self._trouble = ""
        self._purged: date | None = None

    async def work(self) -> None:
        """Look into the mailbox, if it is time. A server that is away is asked again later, and later each time."""
        now = self._installation.clock.monotonic()
        if now < self._again_at:
            return
        if self._place is None:
            self._again_at = now + _FORGETTING_SECONDS
            await self._forget_all()
            return
        self._again_at = now + self._place.every
        try:
            await self._look(self._place)
        except MailboxAway as away:
            if self._stopping():
                return
            self._failures += 1
            self._again_at = rests_until(self._failures, now)
            self._tell(self._place, str(away))
            await self._note_look(self._place, str(away))
        else:
            self._failures = 0
            self._tell(self._place, "")
            await self._note_look(self._place)

    def cut_off(self) -> None:
        """Hang up, whatever the server is being asked: the worker ends."""
        if self._folder is not None:
            self._folder.cut()

    async def release(self) -> None:
        """Let another worker look into the mailbox."""
        if self._place is None:
            return
        # Where the database is away the lease just ends later.
        with contextlib.suppress(SQLAlchemyError, OSError):
            async with self._installation.database.write() as session:
                await mailbox_mark.release(session, self._place.id, self._name)

    async def _forget_all(self) -> None:
        """Let nobody be told of a mailbox that was set before."""
        async with self._installation.database.write() as session:
            await mailbox_mark.forget_others(session, "", self._name)

    async def _note_look(self, place: MailboxPlace, trouble: str | None = None) -> None:
        """Let whoever looks at the console know how it went."""
        clock = self._installation.clock
        now = clock.now()
        again_at = now + timedelta(seconds=max(0.0, self._again_at - clock.monotonic()))
        async with self._installation.database.write() as session:
            await mailbox_mark.looked(session, place.id, self._name, place.server, trouble, now, again_at)

    def _tell(self, place: MailboxPlace, trouble: str) -> None:
        """Log trouble once, and its end."""
        if trouble and trouble != self._trouble:
            _log.warning("mailbox_away", server=place.server, why=trouble)
        elif self._trouble and not trouble:
            _log.info("mailbox_back", server=place.server)
        self._trouble = trouble

    async def _look(self, place: MailboxPlace) -> None:
        async with self._installation.database.write() as session:
            await mailbox_mark.forget_others(session, place.id, self._name)
            known = await mailbox_mark.lease(session, place.id, self._name, place.every + _LEASE_SECONDS)
            mark = (known.validity, known.seen_to) if known else None
        if mark is None:
            return
        folder = self._folder = await _asked(Folder, place)
        try:
            if self._stopping():
                return
            await _asked(folder.open)
            # A folder that was made anew numbers its mails anew.
            await self._go_through(place, folder, mark[1] if mark[0] == folder.validity else 0)
            await self._purge(place, folder)
        finally:
            self._folder = None
            await asyncio.to_thread(folder.close)

    async def _go_through(self, place: MailboxPlace, folder: Folder, seen_to: int) -> None:
        for batch in _batches(await _asked(folder.after, seen_to), _HEADS):
            astray = await self._take_all(folder, batch)
            if astray is None or not await self._note(place, folder.validity, batch[-1], astray):
                return

    async def _note(self, place: MailboxPlace, validity: int, seen_to: int, astray: Counter[Taken]) -> bool:
        """Note that a batch was looked at, and count what in it led nowhere; False where another worker goes on."""
        lasting = place.every + _LEASE_SECONDS
        async with self._installation.database.write() as session:
            if not await mailbox_mark.mark(session, place.id, self._name, lasting, validity, seen_to):
                return False
            for taken, number in sorted(astray.items()):
                await reports.count(session, self._installation, WAY, taken, number)
        return True

    async def _take_all(self, folder: Folder, batch: Sequence[int]) -> Counter[Taken] | None:
        """Take what is ours in a batch; give how many addresses under our domain led nowhere. None: the worker ends."""
        found = {
            number: receiving.whose(self._installation, head)
            for number, head in (await _asked(folder.heads, batch, receiving.HEADERS)).items()
        }
        ours = {number: who for number, who in found.items() if not isinstance(who, Taken)}
        for some in _batches(sorted(ours), _MAILS):
            if self._stopping():
                return None
            mails = await _asked(folder.mails, some)
            if done := [number for number, raw in mails.items() if await self._take(raw, ours[number])]:
                await _asked(folder.put_away, done)
        return Counter(who for who in found.values() if isinstance(who, Taken) and who is not Taken.FOREIGN)

    async def _take(self, raw: bytes, address: str) -> bool:
        """Take a mail; say whether it was for us. One that we fail at stays where it is, and keeps no other from us."""
        try:
            async with self._installation.database.write() as session:
                taken = await reports.take(session, self._installation, raw, address, WAY)
        except Exception as error:
            if is_away(error):
                raise
            _log.error("mail_not_taken", kind=type(error).__name__, where=where(error))
            return False
        return taken not in _NOWHERE

    async def _purge(self, place: MailboxPlace, folder: Folder) -> None:
        """Delete once a day what was processed and is over; a returned mail names people (RULES F5)."""
        today = self._installation.clock.now().date()
        if not place.keep or self._purged == today or self._stopping():
            return
        self._purged = today
        try:
            await _asked(folder.purge, today - timedelta(days=place.keep))
        except MailboxAway as away:
            _log.warning("mailbox_not_purged", server=place.server, why=str(away))


async def _asked(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Ask the server in a thread. Raises MailboxAway."""
    try:
        return await asyncio.to_thread(work, *arguments, **named)
    except FAILURES as error:
        raise MailboxAway(reason_of(error)) from None


def _batches(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
