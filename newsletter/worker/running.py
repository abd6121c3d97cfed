"""The running worker: its loops, its jobs, and how it begins and ends.

What is durable work is a job of the queue; what happens every second is a loop that first looks whether there is
anything to do. The ledger and the outbox are the truth: the sweep finds every mailing with work left, whatever the
queue remembers.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy import func
from sqlmodel import col, select

from newsletter.agreements.proof.chaining import Chaining
from newsletter.backup.returning import Returning
from newsletter.bounces import actions as bounces
from newsletter.bounces import settling
from newsletter.bounces.alarms import actions as alarms
from newsletter.bounces.alarms import watching
from newsletter.bounces.listener.running import Listener
from newsletter.bounces.mailbox.poller import Poller
from newsletter.database import database_seconds, insert
from newsletter.delivery import actions as delivery
from newsletter.delivery import return_address
from newsletter.delivery.lane import leftovers
from newsletter.delivery.lane.sending import DRAIN_SECONDS, Sender
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.editors.audit import chaining as audit_chaining
from newsletter.imports.working.working import Importer
from newsletter.installation import Installation
from newsletter.jobs import Heartbeat, Jobs, every
from newsletter.mail.dkim.keys import signing_domain_of
from newsletter.mail.dkim.signing import Signer
from newsletter.mail.echoes import echoes_of
from newsletter.mail.outbox import Outbox
from newsletter.mail.tables import Letter
from newsletter.mail.wire.lines import Lines
from newsletter.mail.wire.relays import Routes
from newsletter.renewal import actions as renewal
from newsletter.retention import actions as retention
from newsletter.retention import rewriting
from newsletter.rights.desk.letters import remind
from newsletter.worker.letters import writers
from newsletter.worker.names import is_alone, take_name

_SEND = "send"
_RETAIN = "retain"
_REWRITE = "rewrite"
_IMPORT = "import"
_EVERY_TEN_MINUTES = "0 */10 * * * *"


class Worker:
    """A running worker. Its name is its own as long as it lives, and its successor's afterwards."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._stop = asyncio.Event()
        self._name, self._lock = take_name(installation.settings.data_dir)
        settings = installation.settings
        signing = signing_domain_of(settings)
        signer = Signer(signing, installation.clock) if signing else None
        self._lines = Lines(Routes.of(settings), settings.smtp_connections, settings.host, signer)
        self._sender = Sender(installation, self._lines, self._name, partial(watching.watch, installation))
        self._outbox = Outbox(
            installation.database,
            installation.clock,
            self._lines,
            writers(installation),
            partial(watching.watch_letter, installation),
            partial(return_address.for_letter, installation),
            echoes_of(settings),
        )
        self._jobs = Jobs(settings.database, self._name, installation.clock)
        self._returning = Returning(installation)
        self._chaining = Chaining(installation)
        self._listener = Listener(installation, self._name)
        self._importer = Importer(installation, self._name, self._stop.is_set)
        self._mailbox = Poller(installation, self._name, self._stop.is_set)
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take up what the predecessor left, and begin."""
        await self._returning.begin()
        await self._sender.take_up()
        async with self._installation.database.write() as session:
            await leftovers.settle_interrupted(session, self._installation)
        if self._installation.database.on_sqlite and is_alone(self._installation.settings.data_dir, self._lock):
            await self._outbox.recover()
        await self._beat()
        self._jobs.register(_SEND, self._sender.work_on)
        self._jobs.register(_RETAIN, self._retain, cron=_EVERY_TEN_MINUTES)
        self._jobs.register(_REWRITE, self._rewrite, cron=_EVERY_TEN_MINUTES)
        self._jobs.register(_IMPORT, self._importer.work_on)
        await self._jobs.start()
        loops: dict[str, tuple[float, Callable[[], Awaitable[object]]]] = {
            "heartbeat": (5.0, self._beat),
            "letters": (0.3, self._mail_letters),
            "many letters": (0.5, self._mail_many),
            "mailings": (0.3, self._sweep),
            "imports": (1.0, self._take_up_imports),
            "listener": (3.0, self._listener.keep),
            "mailbox": (1.0, self._mailbox.work),
            "reports": (1.0, partial(settling.settle_taken, self._installation)),
            "alarms": (1.0, partial(alarms.pause_alarmed, self._installation)),
            "dead": (1.0, self._bury),
            "tombstones": (1.0, self._returning.keep),
            "chains": (2.0, self._chaining.work),
            "audit trail": (5.0, partial(audit_chaining.chain_all, self._installation)),
            "jobs": (600.0, self._jobs.forget_finished),
            "forget": (10.0, self._installation.database.forget),
        }
        self._loops = [
            asyncio.create_task(every(seconds, name, work, self._stop)) for name, (seconds, work) in loops.items()
        ]

    async def stop(self) -> None:
        """Drain: begin nothing more, let what is on its way arrive, and give the leases back."""
        self._stop.set()
        self._sender.stop()
        await asyncio.gather(self._sender.drained(), self._listener.stop(), self._end_loops())
        await self._jobs.stop()
        await self._lines.close()
        self._lock.close()

    async def _end_loops(self) -> None:
        await self._installation.database.forget_later()
        await asyncio.wait(self._loops, timeout=DRAIN_SECONDS)
        self._outbox.cut_off()
        self._mailbox.cut_off()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._mailbox.release()

    async def _beat(self) -> None:
        # For a watcher on this machine that can't ask the database.
        os.utime(self._lock.fileno())
        async with self._installation.database.write() as session:
            values = {"worker": self._name, "seen_at": database_seconds()}
            statement = insert(session, Heartbeat).values(values)
            await session.execute(
                statement.on_conflict_do_update(index_elements=["worker"], set_={"seen_at": database_seconds()})
            )

    async def _mail_letters(self) -> None:
        await self._returning.catch_up()
        if await self._letters_wait(bulk=False):
            await self._outbox.mail_waiting(self._stop.is_set)

    async def _mail_many(self) -> None:
        await self._returning.catch_up()
        await renewal.feed(self._installation)
        if await self._letters_wait(bulk=True):
            await self._outbox.mail_waiting(self._stop.is_set, bulk=True)

    async def _letters_wait(self, *, bulk: bool) -> bool:
        now = self._installation.clock.now()
        async with self._installation.database.read() as session:
            due = select(Letter.id).where(Letter.bulk == bulk, Letter.due_at <= now)
            found = await session.exec(due.where(Letter.leased_until < database_seconds()).limit(1))
            return found.first() is not None

    async def _sweep(self) -> None:
        await self._returning.catch_up()
        database, clock = self._installation.database, self._installation.clock
        async with database.read() as session:
            open_states = (MailingState.SCHEDULED, MailingState.SENDING)
            query = select(func.count()).select_from(Mailing).where(col(Mailing.state).in_(open_states))
            if not (await session.exec(query)).one():
                return
        async with database.write() as session:
            await delivery.start_due(session, clock)
            await delivery.finish_done(session, clock)
        async with database.read() as session:
            mailings = await delivery.with_work(session)
        for mailing_id in mailings:
            await self._jobs.enqueue(_SEND, mailing_id)

    async def _take_up_imports(self) -> None:
        for import_id in await self._importer.waiting():
            await self._jobs.enqueue(_IMPORT, import_id)

    async def _bury(self) -> None:
        async with self._installation.database.read() as session:
            due = await bounces.due(session, self._installation)
        for subscriber_id in due:
            if self._stop.is_set():
                return
            async with self._installation.database.write() as session:
                await bounces.settle(session, self._installation, subscriber_id)

    async def _rewrite(self, _: str) -> None:
        # And a look at every line of the tombstones' file, not at the last one alone.
        await self._returning.begin()
        await rewriting.rewrite_changed(self._installation)

    async def _retain(self, _: str) -> None:
        async with self._installation.database.write() as session:
            await leftovers.settle_interrupted(session, self._installation)
            await remind(session, self._installation)
        await retention.run_due(self._installation)
        await renewal.run(self._installation)
