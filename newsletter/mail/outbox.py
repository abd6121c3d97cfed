"""The outbox: letters wait here, a worker mails them, each kind written by its own writer.

A letter is leased and the lease committed before its bytes leave. It is deleted when the relay has taken it; a relay
that says "later" gets it again. A letter whose fate is unknown is mailed again: its link is the same, so twice does no
harm.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, insert, update
from sqlmodel import col, select

from newsletter.clock import Clock
from newsletter.database import Database, Session, database_seconds, table_of
from newsletter.logs import get_logger
from newsletter.loops import Due
from newsletter.mail.echoes import echoed
from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage, sender_failed
from newsletter.mail.tables import Letter, LetterKind
from newsletter.mail.wire.lines import Lines
from newsletter.tokens import jitter, new_id

BATCH = 20
_LEASE_SECONDS = 180
_FIRST_RETRY = timedelta(seconds=30)
_LONGEST_RETRY = timedelta(hours=2)
# A relay that can't be reached says nothing about the letter.
_LONGEST_RELAY_RETRY = timedelta(minutes=2)
_GIVE_UP = timedelta(days=4)
_LETTERS = table_of(Letter)
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WrittenLetter:
    """A letter ready to go, and what is to be recorded once the relay has taken it."""

    envelope: Envelope
    content: bytes
    sent: Callable[[Session], Awaitable[None]] | None = None


Writer = Callable[[Session, Letter], Awaitable[WrittenLetter | None]]
Watcher = Callable[[Session, Letter, Outcome], Awaitable[None]]
ReturnAddress = Callable[[Letter], str | None]


def enqueue(
    session: Session,
    clock: Clock,
    kind: LetterKind,
    *,
    request_id: str | None = None,
    subscription_id: str | None = None,
    issue_id: str | None = None,
    editor_id: str | None = None,
    visit_id: str | None = None,
    change_id: str | None = None,
    recovery_id: str | None = None,
) -> None:
    """Put a letter into the outbox; it leaves once the transaction is committed."""
    now = clock.now()
    session.add(
        Letter(
            id=new_id(),
            kind=kind,
            request_id=request_id,
            subscription_id=subscription_id,
            issue_id=issue_id,
            editor_id=editor_id,
            visit_id=visit_id,
            change_id=change_id,
            recovery_id=recovery_id,
            created_at=now,
            due_at=now,
        )
    )


async def enqueue_for_requests(
    session: Session, clock: Clock, kind: LetterKind, request_ids: Sequence[str], *, bulk: bool = False
) -> None:
    """Put a letter for each of these signup requests into the outbox, into its lane for many if they are `bulk`."""
    now = clock.now()
    same = {"kind": kind, "bulk": bulk, "attempts": 0, "created_at": now, "due_at": now, "leased_until": 0.0}
    await session.execute(insert(_LETTERS), [{"id": new_id(), "request_id": one} | same for one in request_ids])


async def enqueue_bulk(session: Session, clock: Clock, kind: LetterKind, subscription_of: Mapping[str, str]) -> None:
    """Put letters with these ids, each about a subscription, into the outbox's lane for many."""
    now = clock.now()
    same = {"kind": kind, "bulk": True, "attempts": 0, "created_at": now, "due_at": now, "leased_until": 0.0}
    rows = [{"id": letter, "subscription_id": subscription} | same for letter, subscription in subscription_of.items()]
    await session.execute(insert(_LETTERS), rows)


def when_due(*, bulk: bool) -> tuple[Due, ...]:
    """Give from when on a letter may leave, and when the lease of one ends that was not let go."""
    letters = col(Letter.bulk).is_(bulk)
    return (
        select(func.min(Letter.due_at)).where(letters, col(Letter.leased_until) < database_seconds()),
        select(func.min(Letter.leased_until)).where(letters, col(Letter.leased_until) >= database_seconds()),
    )


async def _unwatched(_session: Session, _letter: Letter, _outcome: Outcome) -> None:
    """Let refusals be refusals."""


class Outbox:
    """Mails what waits, with a writer for each kind of letter. The watcher is told of each refusal, in the transaction
    that records it. A letter comes back to its return address, where it has one, and then carries the `echoes` too.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        lines: Lines,
        writers: dict[LetterKind, Writer],
        watcher: Watcher = _unwatched,
        return_address: ReturnAddress = lambda _: None,
        echoes: bytes = b"",
    ) -> None:
        self._database = database
        self._clock = clock
        self._lines = lines
        self._writers = writers
        self._watcher = watcher
        self._return_address = return_address
        self._echoes = echoes
        self._sending: set[asyncio.Task[Outcome]] = set()

    async def mail_waiting(self, stopping: Callable[[], bool] = lambda: False, *, bulk: bool = False) -> int:
        """Mail every letter that is due, of the single ones or of the `bulk`; give how many the relay took."""
        taken = 0
        while not stopping():
            letters = await self._lease(bulk=bulk)
            results = await asyncio.gather(*(self._mail(letter) for letter in letters), return_exceptions=True)
            taken += sum(self._taken(result) for result in results)
            if len(letters) < BATCH:
                break
        return taken

    @staticmethod
    def _taken(result: bool | BaseException) -> bool:
        if isinstance(result, BaseException):
            # What became of the letter could not be recorded: it is mailed again when its lease has run out.
            _log.error("letter_not_recorded", error=type(result).__name__)
            return False
        return result

    def cut_off(self) -> None:
        """Wait no longer for the relay: what it has not answered yet is mailed again later."""
        for sending in self._sending:
            sending.cancel()

    async def recover(self) -> None:
        """Take back every lease: for the start of a worker that knows itself to be the only one."""
        async with self._database.write() as session:
            await session.execute(update(Letter).values(leased_until=0.0))

    async def _lease(self, *, bulk: bool) -> list[Letter]:
        async with self._database.write() as session:
            seconds = (await session.exec(select(database_seconds()))).one()
            query = (
                select(Letter)
                .where(Letter.bulk == bulk, Letter.due_at <= self._clock.now(), Letter.leased_until < seconds)
                .order_by(col(Letter.due_at))
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            )
            letters = list((await session.exec(query)).all())
            for letter in letters:
                letter.leased_until = seconds + _LEASE_SECONDS
        return letters

    async def _mail(self, letter: Letter) -> bool:
        try:
            written = await self._write(letter)
        except Exception as error:
            # One letter that can't be written must not stop the others; it may be written after a mend.
            _log.error("letter_not_written", kind=letter.kind, error=type(error).__name__)
            async with self._database.write() as session:
                await self._put_off(session, letter.id, Outcome(OutcomeKind.DEFERRED, Stage.WRITE))
            return False
        if written is None:
            return False
        outcome = await self._send(letter, written)
        async with self._database.write() as session:
            await self._record(session, letter, outcome, written)
        return outcome.kind is OutcomeKind.DELIVERED

    async def _send(self, letter: Letter, written: WrittenLetter) -> Outcome:
        sender, returns = written.envelope.sender, self._return_address(letter)
        content = echoed(self._echoes, returns) + written.content if returns else written.content
        envelope = Envelope(returns or sender, written.envelope.recipient)
        sending = asyncio.create_task(self._lines.send(envelope, content, sender=sender))
        self._sending.add(sending)
        try:
            await asyncio.wait((sending,))
        finally:
            self._sending.discard(sending)
            sending.cancel()
        return Outcome(OutcomeKind.IN_DOUBT, Stage.DATA) if sending.cancelled() else sending.result()

    async def _write(self, letter: Letter) -> WrittenLetter | None:
        async with self._database.write() as session:
            current = await session.get(Letter, letter.id)
            written = await self._writers[LetterKind(letter.kind)](session, current) if current else None
            if current and written is None and current.due_at > self._clock.now():
                current.leased_until = 0.0  # Its writer has put it off.
            elif current and written is None:
                await session.delete(current)
        return written

    async def _record(self, session: Session, letter: Letter, outcome: Outcome, written: WrittenLetter) -> None:
        # Both lock what the letter is about, so they come before the letter's own lock: as where a person is deleted.
        if outcome.kind is OutcomeKind.REFUSED:
            await self._watcher(session, letter, outcome)
        elif outcome.kind is OutcomeKind.DELIVERED and written.sent is not None:
            await written.sent(session)
        if outcome.kind is not OutcomeKind.DELIVERED:
            await self._put_off(session, letter.id, outcome)
            return
        current = await session.get(Letter, letter.id, with_for_update=True)
        if current is not None:  # Else the person left meanwhile, and the letter with them.
            await session.delete(current)

    async def _put_off(self, session: Session, letter_id: str, outcome: Outcome) -> None:
        letter = await session.get(Letter, letter_id, with_for_update=True)
        if letter is None:
            return
        _log.info("letter_not_taken", kind=letter.kind, outcome=outcome.kind, stage=outcome.stage, code=outcome.code)
        given_up = self._clock.now() - letter.created_at > _GIVE_UP
        if (outcome.kind is OutcomeKind.REFUSED and not sender_failed(outcome)) or given_up:
            await session.delete(letter)
            return
        letter.attempts += 1
        longest = _LONGEST_RELAY_RETRY if outcome.kind is OutcomeKind.NOT_ATTEMPTED else _LONGEST_RETRY
        wait = min(_FIRST_RETRY * 2 ** min(letter.attempts - 1, 10), longest)
        letter.due_at = self._clock.now() + wait * jitter(1.0, 1.3)
        letter.leased_until = 0.0
