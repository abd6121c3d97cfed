"""The running worker: its loops, its errands, and how it begins and ends.

The database is the truth: a loop that is woken looks there for what is due, and long work, a mailing or an import, is
an errand that anybody may take up where it was left.
"""

import asyncio
import os
from collections.abc import Sequence
from functools import partial

from sqlalchemy import func
from sqlmodel import col, select

from newsletter import hearts
from newsletter.agreements.proof import chaining
from newsletter.agreements.proof.chaining import Chaining
from newsletter.agreements.traces import tombstones
from newsletter.backup.returning import Returning
from newsletter.bounces import actions as bounces
from newsletter.bounces import settling
from newsletter.bounces.alarms import actions as alarms
from newsletter.bounces.alarms import watching
from newsletter.bounces.listener.running import Listener
from newsletter.bounces.mailbox.poller import Poller
from newsletter.delivery import actions as delivery
from newsletter.delivery import return_address
from newsletter.delivery.lane import leftovers
from newsletter.delivery.lane.sending import DRAIN_SECONDS, Sender
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.editors.audit import chaining as audit_chaining
from newsletter.imports.working import working as imports
from newsletter.imports.working.working import Importer
from newsletter.installation import Installation
from newsletter.loops import Loop, Loops
from newsletter.mail import outbox
from newsletter.mail.dkim.keys import signing_domain_of
from newsletter.mail.dkim.signing import Signer
from newsletter.mail.echoes import echoes_of
from newsletter.mail.outbox import Outbox
from newsletter.mail.wire.lines import Lines
from newsletter.mail.wire.relays import Routes
from newsletter.renewal import actions as renewal
from newsletter.retention import actions as retention
from newsletter.retention import rewriting
from newsletter.rights.desk.letters import remind
from newsletter.worker.errands import Errands
from newsletter.worker.letters import writers
from newsletter.worker.marks import Marks
from newsletter.worker.names import is_alone, take_name

# What has not ended with the lanes is at most one slice of an import.
_ERRANDS_SECONDS = 2.0


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
        self._errands = Errands()
        self._returning = Returning(installation)
        self._chaining = Chaining(installation)
        self._listener = Listener(installation, self._name)
        self._importer = Importer(installation, self._name, self._stop.is_set)
        self._mailbox = Poller(installation, self._name, self._stop.is_set)
        self._loops: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what the predecessor left, and begin."""
        await self._returning.begin()
        await self._sender.take_up()
        async with self._installation.database.write() as session:
            await leftovers.settle_interrupted(session, self._installation)
        if self._installation.database.on_sqlite and is_alone(self._installation.settings.data_dir, self._lock):
            await self._outbox.recover()
        await self._beat()
        self._loops = asyncio.create_task(Loops(self._installation, self._all(), self._stop).run())

    def _all(self) -> Sequence[Loop]:
        ours, clock = self._installation, self._installation.clock
        return (
            Loop("heartbeat", self._beat, every=5.0),
            Loop("letters", self._mail_letters, outbox.when_due(bulk=False), pace=0.05),
            Loop("many letters", self._mail_many, (*outbox.when_due(bulk=True), *renewal.when_due()), pace=0.5),
            Loop("mailings", self._see_to_mailings, delivery.when_due()),
            Loop("imports", self._take_up_imports, imports.when_due(), pace=1.0),
            Loop("listener", self._listener.keep, every=3.0),
            Loop("mailbox", self._mailbox.work, every=1.0),
            Loop("reports", partial(settling.settle_taken, ours), settling.when_due()),
            Loop("alarms", partial(alarms.pause_alarmed, ours), alarms.when_due(), pace=1.0),
            Loop("dead", self._bury, bounces.when_due(), pace=1.0),
            Loop("tombstones", self._returning.keep, tombstones.when_due(), every=5.0),
            Loop("chains", self._chaining.work, chaining.when_due(), every=60.0, pace=2.0),
            Loop("audit trail", partial(audit_chaining.chain_all, ours), audit_chaining.when_due(), pace=5.0),
            Loop("retention", Marks(clock, self._is_first, self._retain).work, every=5.0),
            Loop("rewriting", Marks(clock, self._is_first, self._rewrite).work, every=5.0),
            Loop("forget", ours.database.forget, every=10.0),
        )

    async def stop(self) -> None:
        """Drain: begin nothing more, let what is on its way arrive, and give the leases back."""
        self._stop.set()
        self._sender.stop()
        await asyncio.gather(self._sender.drained(), self._listener.stop(), self._end_loops())
        await self._errands.end(_ERRANDS_SECONDS)
        await self._lines.close()
        self._lock.close()

    async def _end_loops(self) -> None:
        await self._installation.database.forget_later()
        if self._loops is not None:
            await asyncio.wait((self._loops,), timeout=DRAIN_SECONDS)
        self._outbox.cut_off()
        self._mailbox.cut_off()
        if self._loops is not None:
            await self._loops
        await self._mailbox.release()

    async def _beat(self) -> None:
        # For a watcher on this machine that can't ask the database.
        os.utime(self._lock.fileno())
        async with self._installation.database.write(quietly=True) as session:
            await hearts.beat(session, self._name)

    async def _is_first(self) -> bool:
        async with self._installation.database.read() as session:
            return await hearts.is_first(session, self._name)

    async def _mail_letters(self) -> None:
        await self._returning.catch_up()
        await self._outbox.mail_waiting(self._stop.is_set)

    async def _mail_many(self) -> None:
        await self._returning.catch_up()
        await renewal.feed(self._installation)
        await self._outbox.mail_waiting(self._stop.is_set, bulk=True)

    async def _see_to_mailings(self) -> None:
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
            self._errands.begin("mailing", mailing_id, self._sender.work_on)

    async def _take_up_imports(self) -> None:
        for import_id in await self._importer.waiting():
            self._errands.begin("import", import_id, self._importer.work_on)

    async def _bury(self) -> None:
        async with self._installation.database.read() as session:
            due = await bounces.due(session, self._installation)
        for subscriber_id in due:
            if self._stop.is_set():
                return
            async with self._installation.database.write() as session:
                await bounces.settle(session, self._installation, subscriber_id)

    async def _rewrite(self) -> None:
        # And a look at every line of the tombstones' file, not at the last one alone.
        await self._returning.begin()
        await rewriting.rewrite_changed(self._installation)

    async def _retain(self) -> None:
        async with self._installation.database.write() as session:
            await leftovers.settle_interrupted(session, self._installation)
            await remind(session, self._installation)
        await retention.run_due(self._installation)
        await renewal.run(self._installation)
