"""What the listener took, on its way into the database: mails that come while others are being written go together.

A commit waits for the disk, and SQLite has one writer; so one transaction takes all who wait, and each is answered when
its own is on the disk. One that can't be written is tried by itself, so that it takes nobody with it. Addresses that
lead nowhere are only counted, and those counts are written every now and then: ten thousand of them cost no ten
thousand transactions.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.bounces.listener.tables import WAY
from newsletter.bounces.reports import actions as reports
from newsletter.bounces.reports.actions import Said, Taken
from newsletter.database import Session, is_away
from newsletter.installation import Installation
from newsletter.unsubscribe.mailto import read_mailbox

# Whoever else writes waits for so many.
_MOST = 50


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail that came for one recipient of ours; `from_null` where its envelope has the null sender."""

    raw: bytes
    recipient: str
    from_null: bool


_Waiting = tuple[Incoming, "asyncio.Future[Taken]"]


class Storing:
    """The mails and the counts of one listener."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._refused: Counter[Taken] = Counter()

    async def store(self, mail: Incoming) -> Taken:
        """Give what was done with a mail, once it is on the disk. Raises what keeps it from that."""
        answer: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._waiting.append((mail, answer))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await answer

    def refuse(self, taken: Taken) -> None:
        """Count an address that leads nowhere; `write_counts` writes it down."""
        self._refused[taken] += 1

    async def write_counts(self) -> None:
        """Write down what was refused since. Where that fails nothing is forgotten."""
        refused, self._refused = self._refused, Counter()
        if not refused:
            return
        try:
            async with self._installation.database.write() as session:
                for taken, number in sorted(refused.items()):
                    await reports.count(session, self._installation, WAY, taken, number)
        except BaseException:
            self._refused.update(refused)
            raise

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            here = [one for one in group if not one[1].done()]  # The others' senders are gone, and send them again.
            await self._write_group([one for one in here if not self._leaves(one[0])])
            # To end a subscription is more than one errand for a thread.
            for one in here:
                if self._leaves(one[0]):
                    await self._write_one(one)

    async def _write_group(self, group: Sequence[_Waiting]) -> None:
        if not group:
            return
        try:
            taken = await self._take(group)
        except Exception as error:
            if len(group) == 1 or is_away(error):
                _fail(group, error)
                return
            for one in group:
                await self._write_group([one])
        else:
            for one in _answer(group, taken):
                await self._write_group([one])

    async def _write_one(self, one: _Waiting) -> None:
        mail = one[0]
        try:
            async with self._installation.database.write() as session:
                taken = await reports.take(
                    session, self._installation, mail.raw, mail.recipient, WAY, from_null=mail.from_null
                )
        except Exception as error:
            _fail([one], error)
        else:
            _answer([one], [taken])

    async def _take(self, group: Sequence[_Waiting]) -> list[Taken | None]:
        """Take reports in one transaction. They are taken apart before it begins: others wait to write as well."""
        came = await asyncio.to_thread(self._open, group)

        async def store(session: Session) -> list[Taken | None]:
            return await reports.take_many(session, self._installation, came, WAY, waiting=len(group) == 1)

        return await self._installation.database.write_at_once(store)

    def _open(self, group: Sequence[_Waiting]) -> list[Said]:
        return [reports.open_report(self._installation, mail.raw, mail.recipient) for mail, _ in group]

    def _leaves(self, mail: Incoming) -> bool:
        domain = self._installation.settings.bounce_domain
        return read_mailbox(self._installation.keys, mail.recipient, domain) is not None


def _answer(group: Sequence[_Waiting], taken: Sequence[Taken | None]) -> list[_Waiting]:
    """Answer those that were taken; give the others."""
    for (_, answer), each in zip(group, taken, strict=True):
        if each is not None and not answer.done():
            answer.set_result(each)
    return [one for one, each in zip(group, taken, strict=True) if each is None]


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for _, answer in group:
        if not answer.done():
            answer.set_exception(error)
