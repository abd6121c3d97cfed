"""Raising a dead signal, and tallying how many there are: the same for our refusals and for reports (RULES F3, F4)."""

from collections import defaultdict
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, Executable, and_, delete, exists, func
from sqlmodel import col, select

from newsletter.addresses import canonical
from newsletter.bounces.reports.tables import Report
from newsletter.bounces.rules import APART, REMEMBERED, is_repeated
from newsletter.bounces.tables import Tally
from newsletter.clock import day_of
from newsletter.database import Session, insert, insert_of, rows_of
from newsletter.delivery.tables import Delivery, Mailing, Result
from newsletter.installation import Installation
from newsletter.mail.outcome import OutcomeKind
from newsletter.subscribers.tables import DeadSignal, FirstSignal, SignalState, Subscriber, Subscription
from newsletter.tokens import Keyring


class Dead(NamedTuple):
    """Somebody whose address is said to be dead, with which code; `sent_on` is the day of the mail, of a report."""

    mailing_id: str | None
    subscriber_id: str
    email: str
    code: str
    sent_on: datetime | None = None


class Counts(NamedTuple):
    """What happened in an hour: how many were accepted, refused as dead, and reported as dead later."""

    accepted: int = 0
    dead: int = 0
    bounced: int = 0


class Tallies:
    """What one transaction adds to the tallies."""

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys
        self._counted: dict[str, Counts] = defaultdict(Counts)

    def add(self, email: str, mailing_id: str | None, counts: Counts) -> None:
        """Add to the tally of the address's domain, and to that of the mailing."""
        names = [domain_tag(self._keys, email)]
        if mailing_id is not None:
            names.append(tag(self._keys, "mailing", mailing_id))
        for name in names:
            self._counted[name] = Counts(*map(sum, zip(self._counted[name], counts, strict=True)))

    async def write(self, session: Session, now: datetime) -> None:
        """Add them to the hour's, last: what is tallied is everybody's, and locked until the commit."""
        if not self._counted:
            return
        hour = now.replace(minute=0, second=0, microsecond=0)
        rows = [{"tag": name, "hour": hour, **counts._asdict()} for name, counts in sorted(self._counted.items())]
        connection = await session.connection()
        await connection.execute(_tallying(connection.dialect.name), rows)


@lru_cache
def _tallying(dialect: str) -> Executable:
    statement = insert_of(dialect, Tally)
    added = {name: getattr(Tally, name) + statement.excluded[name] for name in Counts._fields}
    adding: Executable = statement.on_conflict_do_update(index_elements=["tag", "hour"], set_=added)
    return adding


@lru_cache(maxsize=4096)
def tag(keys: Keyring, kind: str, name: str) -> str:
    """Give the keyed tag under which a domain or a mailing is tallied."""
    return keys.tag("tally", f"{kind}/{name}".encode()).hex()


def domain_tag(keys: Keyring, email: str) -> str:
    """Give the keyed tag of an address's domain."""
    return tag(keys, "domain", canonical(email.rpartition("@")[2]))


async def raise_signal(session: Session, installation: Installation, dead: Dead) -> None:
    """Stop sending to somebody at once. What is due after the hold is `actions.settle`."""
    if not await _lock(session, dead.subscriber_id):
        return
    values = {
        "subscriber_id": dead.subscriber_id,
        "mailing_id": dead.mailing_id,
        "domain_tag": domain_tag(installation.keys, dead.email),
        "enhanced": dead.code,
        "state": SignalState.HELD,
        "at": installation.clock.now(),
        "sent_on": dead.sent_on,
    }
    await session.execute(insert(session, DeadSignal).values(values).on_conflict_do_nothing())


async def is_second(session: Session, installation: Installation, subscriber_id: str, code: str) -> bool:
    """Say whether this sign of a closed mailbox is the second, 7 days after the first; else remember it (RULES F2)."""
    if not await _lock(session, subscriber_id):
        return False
    today = day_of(installation.clock.now())
    first = await session.get(FirstSignal, subscriber_id, populate_existing=True)
    if first is None:
        session.add(FirstSignal(subscriber_id=subscriber_id, day=today, code=code))
        await session.flush()
        return False
    if is_repeated(first.day, today):
        await session.execute(delete(FirstSignal).where(col(FirstSignal.subscriber_id) == subscriber_id))
        return True
    if today - first.day > REMEMBERED:
        first.day, first.code = today, code
    return False


async def _lock(session: Session, subscriber_id: str) -> bool:
    """Lock somebody, and say whether they are there: they may have left while the mail was on its way."""
    alive = await session.exec(select(Subscriber.id).where(Subscriber.id == subscriber_id).with_for_update())
    return alive.first() is not None


async def count_forgotten(session: Session, installation: Installation) -> int:
    """Give how many first signals say nothing any more."""
    over = _forgotten(installation.clock.now())
    return (await session.exec(select(func.count()).select_from(FirstSignal).where(over))).one()


async def forget_first(session: Session, installation: Installation) -> int:
    """Forget the first signals that are too old, and those after which mail arrived and did not come back."""
    return rows_of(await session.execute(delete(FirstSignal).where(_forgotten(installation.clock.now()))))


def _forgotten(now: datetime) -> ColumnElement[bool]:
    came_back = exists().where(
        col(Report.mailing_id) == col(Delivery.mailing_id),
        col(Report.number) == col(Delivery.number),
        col(Report.counted).is_(True),
    )
    arrived = (
        select(Delivery.number)
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .join(Mailing, col(Mailing.id) == col(Delivery.mailing_id))
        .join(Result, and_(col(Result.mailing_id) == Delivery.mailing_id, col(Result.number) == Delivery.number))
        .where(
            col(Subscription.subscriber_id) == col(FirstSignal.subscriber_id),
            col(Mailing.started_at) > col(FirstSignal.day),
            col(Mailing.started_at) < now - APART,
            col(Result.outcome) == OutcomeKind.DELIVERED,
            ~came_back,
        )
        .correlate(FirstSignal)
    )
    return (col(FirstSignal.day) < now - REMEMBERED) | arrived.exists()
