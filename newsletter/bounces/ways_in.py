"""How the ways in are: who listens, whether the mailbox was reached, and when something came by each of them last.

Whoever shows this may be another process than the one that listens or looks, on another machine and with other
settings. So listener and mailbox are told of by their rows, and a worker's row is believed while its heart beats; the
webhooks are this process's own.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select

from newsletter.bounces.listener.tables import WAY as LISTENER
from newsletter.bounces.listener.tables import Listening
from newsletter.bounces.mailbox.tables import WAY as MAILBOX
from newsletter.bounces.mailbox.tables import Mailbox
from newsletter.bounces.reports.actions import Taken
from newsletter.bounces.reports.tables import Received
from newsletter.database import Session, database_seconds
from newsletter.hearts import SILENT_SECONDS, Heartbeat, machine_of
from newsletter.installation import Installation

WEBHOOKS = ("ses", "postmark", "sendgrid", "mailgun")
# Past its time: a look that takes long, or another worker that follows a dead one.
_LATE = timedelta(minutes=10)
# After that it is not away any more, but gone: nobody means to use it, and no worker of its machine has said so.
_GONE = timedelta(days=1)
_LED_NOWHERE = frozenset({Taken.FORGED, Taken.EXPIRED, Taken.FOREIGN, Taken.UNPROVEN})
_NO_LIFE = "the worker that listened there gives no sign of life"
_NO_LOOK = "no worker looks into it"


@dataclass(frozen=True, slots=True)
class WayIn:
    """One way in. `place` is host and port, where it has some; `trouble` is what keeps anything from coming in there
    just now, and None where it is well; both have been so `since`. `looked_at` is when a mailbox was looked into last.

    `believed` is the hour in which something came that was for us, by a webhook: that proved itself; `doubted`, that
    was not, or did not.
    """

    way: str
    place: str = ""
    trouble: str | None = None
    since: datetime | None = None
    looked_at: datetime | None = None
    believed: datetime | None = None
    doubted: datetime | None = None


async def ways_in(session: Session, installation: Installation) -> list[WayIn]:
    """Give the ways in that are in use: the listener of each machine, the mailbox, and each webhook."""
    last = await _last(session)
    settings = installation.settings
    webhooks = [WayIn(name) for name in WEBHOOKS if getattr(settings, f"webhook_{name}")]
    found = [*await _listeners(session), *await _mailboxes(session, installation.clock.now()), *webhooks]
    return [_with_last(each, last.get(each.way, {})) for each in found]


async def open_ways(session: Session, now: datetime) -> dict[str, bool]:
    """Say of listener and mailbox, where they are in use, whether everything can come in there just now."""
    ways: dict[str, bool] = {}
    for each in [*await _listeners(session), *await _mailboxes(session, now)]:
        ways[each.way] = ways.get(each.way, True) and each.trouble is None
    return ways


async def _listeners(session: Session) -> list[WayIn]:
    """Give the listener of each machine: of its workers one has the port, and the others wait for that one to end."""
    silent = database_seconds() - func.coalesce(Heartbeat.seen_at, 0.0)
    query = select(Listening, silent).join(Heartbeat, col(Heartbeat.worker) == col(Listening.worker), isouter=True)
    rows = (await session.exec(query.order_by(col(Listening.worker)))).all()
    machines: dict[str, list[Listening]] = defaultdict(list)
    for row, seconds in rows:
        if seconds < SILENT_SECONDS:
            machines[machine_of(row.worker)].append(row)
    if machines:
        return [_of_machine(each) for each in machines.values()]
    dead = [row for row, seconds in rows if row.trouble is None and seconds < _GONE.total_seconds()]
    return [WayIn(LISTENER, row.place, _NO_LIFE) for row in dead[:1]]


def _of_machine(rows: Sequence[Listening]) -> WayIn:
    listens = [row for row in rows if row.trouble is None]
    told = listens[0] if listens else min(rows, key=lambda row: row.since)
    return WayIn(LISTENER, told.place, told.trouble, told.since)


async def _mailboxes(session: Session, now: datetime) -> list[WayIn]:
    query = select(Mailbox).where(col(Mailbox.again_at) > now - _GONE).order_by(col(Mailbox.server), col(Mailbox.id))
    return [_of_mailbox(row, now) for row in (await session.exec(query)).all()]


def _of_mailbox(row: Mailbox, now: datetime) -> WayIn:
    if row.again_at is not None and now > row.again_at + _LATE:
        return WayIn(MAILBOX, row.server or "", _NO_LOOK, row.looked_at, row.looked_at)
    return WayIn(MAILBOX, row.server or "", row.trouble, row.since, row.looked_at)


async def _last(session: Session) -> dict[str, dict[str, datetime]]:
    """Give the last hour of each thing that was done with what came, by way."""
    last: dict[str, dict[str, datetime]] = defaultdict(dict)
    # What came before hours were noted has its day alone.
    at_last = func.max(func.coalesce(col(Received.last_at), col(Received.day)))
    query = select(Received.way, Received.taken, at_last).group_by(col(Received.way), col(Received.taken))
    for way, taken, at in (await session.exec(query)).all():
        last[way][taken] = at
    return last


def _with_last(way: WayIn, last: Mapping[str, datetime]) -> WayIn:
    doubted: Collection[str] = {Taken.UNPROVEN} if way.way in WEBHOOKS else _LED_NOWHERE
    return replace(
        way,
        believed=max((at for taken, at in last.items() if taken not in doubted), default=None),
        doubted=max((at for taken, at in last.items() if taken in doubted), default=None),
    )
