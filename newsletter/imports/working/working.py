"""Doing an import, slice by slice. Each slice is one transaction: its people, its refusals, and how far we are.

So whatever is killed, whenever: nothing is half done and nothing twice. Whoever comes next goes on at the byte that the
last transaction wrote down. A lease keeps two from reading the same file in vain; that nothing is done twice does not
rest on it, for a slice that does not begin where the import stands is thrown away.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import BinaryIO

from sqlalchemy import func
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from newsletter.database import Session, database_seconds, table_of, write_rows
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.errors import NewsletterError
from newsletter.imports import actions, staging
from newsletter.imports.reading import columns
from newsletter.imports.reading.rows import Reader
from newsletter.imports.reading.shape import read_again
from newsletter.imports.reading.slices import Slice, slices
from newsletter.imports.rules import CHECK_SLICE, LEASE_SECONDS, MOST_OPEN_LETTERS, SLICE, WORKING, move
from newsletter.imports.tables import Import, ImportRefusal, ImportState, Mode
from newsletter.imports.working import recording
from newsletter.imports.working.judging import Judged, judge
from newsletter.installation import Installation
from newsletter.logs import get_logger
from newsletter.loops import Due
from newsletter.mail.tables import Letter
from newsletter.signup.offers import Offer

_TRIES = 6
_PAUSE_SECONDS = 0.5
_REFUSALS = table_of(ImportRefusal)
_log = get_logger(__name__)
Telling = Callable[[Import], None]


def when_due() -> tuple[Due, ...]:
    """Give when an import may be taken up: nobody does it, or whoever did has let its lease run out."""
    return (select(func.min(Import.leased_until)).where(col(Import.state).in_(WORKING)),)


class _Lost(Exception):
    """Somebody else has the import now, or it was cancelled."""


class Importer:
    """Does imports in the name of one process, until `stopping` says to stop. `telling` is told of each slice."""

    def __init__(
        self,
        installation: Installation,
        holder: str,
        stopping: Callable[[], bool] = lambda: False,
        telling: Telling = lambda _: None,
    ) -> None:
        self._installation = installation
        self._holder = holder
        self._stopping = stopping
        self._telling = telling

    async def waiting(self) -> list[str]:
        """Give the imports with work left that nobody does, and whose file is on this machine."""
        free = col(Import.state).in_(WORKING) & (col(Import.leased_until) < database_seconds())
        async with self._installation.database.read() as session:
            found = (await session.exec(select(Import.id).where(free).order_by(col(Import.created_at)))).all()
        return [import_id for import_id in found if staging.is_here(self._installation, import_id)]

    async def work_on(self, import_id: str) -> None:
        """Do what is left of an import; nothing where somebody else does it."""
        try:
            job = await self._lease(import_id)
            with staging.place(self._installation, import_id).open("rb") as file:
                await self._go_through(job, file)
        except (_Lost, FileNotFoundError):
            return
        except NewsletterError as error:
            await self._fail(import_id, error.sentence)
        # After any other error the lease stays, so that it is tried again only when that has run out.
        await self._release(import_id)

    async def _go_through(self, job: Import, file: BinaryIO) -> None:
        async with self._installation.database.read() as session:
            offer = await actions.offer_of(session, self._installation, job)
        rest = await asyncio.to_thread(self._slices, job, file)
        following = asyncio.ensure_future(asyncio.to_thread(next, rest, None))
        try:
            while (piece := await following) is not None:
                # The next slice is read while this one is written.
                following = asyncio.ensure_future(asyncio.to_thread(next, rest, None))
                if not await self._room(job) or self._stopping():
                    return
                self._telling(await self._take(job.id, offer, piece))
        finally:
            # The file is closed only when nobody reads it any more.
            await asyncio.wait((following,))
        if not self._stopping():
            self._telling(await self._end(job.id))

    def _slices(self, job: Import, file: BinaryIO) -> Iterator[Slice]:
        shape = read_again(file, job.encoding, job.delimiter)
        mode = Mode(job.mode)
        reader = Reader(
            columns.from_text(job.columns),
            len(shape.header),
            self._installation.clock.now(),
            sale_needed=job.marketing_basis == "existing_customer",
            suppressing=mode is Mode.SUPPRESS,
        )
        size = CHECK_SLICE if job.state == ImportState.CHECKING else SLICE[mode]
        return slices(file, shape, reader, size, job.done_to, job.row or 1)

    async def _room(self, job: Import) -> bool:
        """Wait until few letters are open, where each person gets one; False where we are to stop."""
        if job.mode != Mode.CONFIRM or job.state != ImportState.RUNNING:
            return True
        while not self._stopping():
            async with self._installation.database.read() as session:
                open_letters = (await session.exec(select(func.count()).select_from(Letter))).one()
            if open_letters < MOST_OPEN_LETTERS:
                return True
            await self._lease(job.id)
            await asyncio.sleep(_PAUSE_SECONDS)
        return False

    async def _take(self, import_id: str, offer: Offer, piece: Slice) -> Import:
        for attempt in range(_TRIES):
            try:
                return await self._installation.database.write_at_once(
                    lambda session: self._write_down(session, import_id, offer, piece)
                )
            except DBAPIError as error:
                # Somebody signed up or left at the same moment: looked at anew, it will do.
                _log.warning("import_slice_repeated", kind=type(error).__name__)
                if attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS * attempt)
        raise AssertionError("the last try raises")

    async def _write_down(self, session: Session, import_id: str, offer: Offer, piece: Slice) -> Import:
        job = await self._held(session, import_id)
        if piece.start != job.done_to and job.done_to:
            raise _Lost
        mode = Mode(job.mode)
        judged = await judge(session, self._installation, job.newsletter_id, mode, piece.people)
        if job.state == ImportState.RUNNING:
            await self._act(session, job, offer, judged, mode)
        rows = [{"import_id": job.id, "row": refused.row, "reason": refused.reason} for refused in piece.refused]
        await write_rows(session, _REFUSALS, rows)
        job.done_to, job.row, job.rows = piece.end, piece.row, job.rows + piece.rows
        job.accepted += len(judged.taken)
        job.known += judged.known
        job.withheld += judged.withheld
        job.refused += len(rows)
        return job

    async def _act(self, session: Session, job: Import, offer: Offer, judged: Judged, mode: Mode) -> None:
        if mode is Mode.SUPPRESS:
            await recording.suppress(session, self._installation, job, judged.taken)
        elif mode is Mode.CONFIRM:
            await recording.ask(session, self._installation, job, offer, judged)
        else:
            await recording.record(session, self._installation, job, offer, judged)

    async def _end(self, import_id: str) -> Import:
        async with self._installation.database.write() as session:
            job = await self._held(session, import_id)
            job.state = move(job.state, "end")
            job.changed_at = self._installation.clock.now()
            if job.state == ImportState.FINISHED:
                job.finished_at = job.changed_at
                await audit.note(
                    session,
                    self._installation,
                    job.actor,
                    Act.SUBSCRIBERS_IMPORTED,
                    newsletter_id=job.newsletter_id,
                    subject_id=job.id,
                    count=job.accepted,
                )
        if job.state == ImportState.FINISHED:
            staging.discard(self._installation, import_id)
        return job

    async def _fail(self, import_id: str, sentence: str) -> None:
        async with self._installation.database.write() as session:
            job = await session.get(Import, import_id, with_for_update=True)
            if job is not None and job.state in WORKING:
                job.state, job.trouble = move(job.state, "fail"), sentence[:500]
                job.changed_at = job.finished_at = self._installation.clock.now()
        staging.discard(self._installation, import_id)

    async def _held(self, session: Session, import_id: str) -> Import:
        """Give the import, locked and leased anew. Raises _Lost where it is not ours."""
        job = await session.get(Import, import_id, with_for_update=True, populate_existing=True)
        if job is None or job.state not in WORKING or job.holder != self._holder:
            raise _Lost
        job.leased_until = (await session.exec(select(database_seconds()))).one() + LEASE_SECONDS
        return job

    async def _lease(self, import_id: str) -> Import:
        async with self._installation.database.write() as session:
            job = await session.get(Import, import_id, with_for_update=True)
            seconds = (await session.exec(select(database_seconds()))).one()
            if job is None or job.state not in WORKING:
                raise _Lost
            if job.leased_until > seconds and job.holder != self._holder:
                raise _Lost
            job.holder, job.leased_until = self._holder, seconds + LEASE_SECONDS
        return job

    async def _release(self, import_id: str) -> None:
        async with self._installation.database.write() as session:
            job = await session.get(Import, import_id, with_for_update=True)
            if job is not None and job.holder == self._holder:
                job.leased_until = 0.0
