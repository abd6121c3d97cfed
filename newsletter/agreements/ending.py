"""How it ends: a subscription, and with the last one the person (RULES C1).

There is one way to delete a person, and it is one DELETE: everything that belongs to a subscriber hangs on that row. In
the same transaction goes whatever else holds their address, and what is to be left of them is written: receipts, a
suppression where one is due, and a tombstone. The ledger's figures don't hang on people, so they stay (RULES C8).

Whoever touches a person locks in one order: what holds their address, by table and id, then the subscriber. So nobody
waits for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Table, delete, func
from sqlalchemy import select as select_rows
from sqlmodel import SQLModel, col, select

from newsletter.agreements import actions
from newsletter.agreements.proof import chaining
from newsletter.agreements.tables import Agreement, EventKind
from newsletter.agreements.traces import receipts, suppression, tombstones
from newsletter.agreements.traces.tombstones import Kind
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.mail.tables import Letter
from newsletter.personal import addressed
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState


class Cause(StrEnum):
    """Why it ends."""

    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"
    COMPLAINED = "complained"
    DEAD = "dead"
    ERASED = "erased"
    EXPIRED = "expired"
    NEVER_AGAIN = "never_again"


class Ending(StrEnum):
    """What came of it."""

    NOTHING = "nothing"
    SUBSCRIPTION = "subscription"
    PERSON = "person"


# These are about the person, whatever newsletter they came by.
_OF_THE_PERSON = frozenset({Cause.COMPLAINED, Cause.DEAD, Cause.ERASED, Cause.NEVER_AGAIN})
_NEVER_MORE = frozenset({Cause.COMPLAINED, Cause.NEVER_AGAIN})
# They say something of one newsletter alone, and so does the suppression that may follow.
_OF_ONE_NEWSLETTER = frozenset({Cause.WITHDRAWN, Cause.EXPIRED})
_COULD_COME_AGAIN = frozenset({"import", "api"})
_EVENTS = {
    Cause.WITHDRAWN: EventKind.WITHDRAWN,
    Cause.OBJECTED: EventKind.OBJECTED,
    Cause.COMPLAINED: EventKind.COMPLAINED,
    Cause.DEAD: EventKind.BOUNCED_DEAD,
    Cause.ERASED: EventKind.WITHDRAWN,
    Cause.EXPIRED: EventKind.EXPIRED,
    Cause.NEVER_AGAIN: EventKind.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Parting:
    """Why somebody goes, by whose act, and when. One that is `replayed` has its tombstone already."""

    cause: Cause
    origin: actions.Origin
    at: datetime
    replayed: bool = False


async def end_subscription(
    session: Session, installation: Installation, subscription_id: str, cause: Cause, origin: actions.Origin
) -> Ending:
    """End a subscription, with what its subscriber asked of the same newsletter, and delete the person where it was the
    last. Doing it again does nothing (RULES E2).
    """
    return await part(session, installation, subscription_id, Parting(cause, origin, installation.clock.now()))


async def erase_person(
    session: Session, installation: Installation, subscriber_id: str, cause: Cause, origin: actions.Origin
) -> bool:
    """Delete a person and everything that is theirs (RULES C1); say whether there was anybody."""
    person = await lock_person(session, subscriber_id)
    if person is not None:
        await delete_person(session, installation, person, Parting(cause, origin, installation.clock.now()))
    return person is not None


async def part(session: Session, installation: Installation, subscription_id: str, parting: Parting) -> Ending:
    """End a subscription for that reason."""
    found = await session.get(Subscription, subscription_id)
    person = await lock_person(session, found.subscriber_id) if found else None
    # Read anew: whoever held the lock before us may have ended it since this session first saw it.
    subscription = await session.get(Subscription, subscription_id, with_for_update=True, populate_existing=True)
    if person is None or subscription is None or subscription.state == SubscriptionState.ENDED:
        return Ending.NOTHING
    if parting.cause in _OF_THE_PERSON or not await _has_another(session, subscription):
        await delete_person(session, installation, person, parting)
        return Ending.PERSON
    subscription.state, subscription.ended_at = SubscriptionState.ENDED, parting.at
    await _forget_asked(session, person, subscription.newsletter_id)
    await session.execute(delete(Letter).where(col(Letter.subscription_id) == subscription.id))
    agreed = await actions.of_subscription(session, subscription.id)
    for agreement in agreed:
        await actions.append(session, installation, agreement.id, _EVENTS[parting.cause], parting.origin)
    await _suppress(session, installation, person, parting.cause, agreed)
    if not parting.replayed:
        kind = Kind.OBJECTION if parting.cause == Cause.OBJECTED else Kind.SUBSCRIPTION
        newsletter_id = subscription.newsletter_id
        await tombstones.note(session, installation, person.canonical, kind, newsletter_id, cause=parting.cause)
    return Ending.SUBSCRIPTION


async def delete_person(session: Session, installation: Installation, person: Subscriber, parting: Parting) -> None:
    """Delete a person whom `lock_person` gave, and leave behind what is due."""
    if not parting.replayed:
        await tombstones.note(session, installation, person.canonical, Kind.PERSON, cause=parting.cause)
    agreed = await _agreed(session, person.id)
    await _suppress(session, installation, person, parting.cause, agreed)
    await receipts.write(session, installation, person.id, person.canonical, parting.cause, parting.at)
    await chaining.blind(session, installation, [agreement.id for agreement in agreed])
    await _forget_asked(session, person)
    await session.execute(delete(Subscriber).where(col(Subscriber.id) == person.id))


async def lock_person(session: Session, subscriber_id: str) -> Subscriber | None:
    """Give the subscriber, locked after whatever else holds their address; None where they are gone."""
    known = select(Subscriber.canonical).where(Subscriber.id == subscriber_id)
    canonical = (await session.exec(known)).first()
    while canonical is not None:
        for table in asked_tables():
            keys = list(table.primary_key.columns)
            theirs = _theirs(table, subscriber_id, canonical)
            await session.execute(select_rows(*keys).where(theirs).order_by(*keys).with_for_update())
        person = await session.get(Subscriber, subscriber_id, with_for_update=True, populate_existing=True)
        if person is None or person.canonical == canonical:
            return person
        canonical = person.canonical
    return None


def asked_tables() -> list[Table]:
    """Give the tables beside the subscriber's that hold addresses: signup requests, and what else is asked for."""
    return [table for table in addressed(SQLModel.metadata) if table.name != Subscriber.__tablename__]


def _theirs(table: Table, subscriber_id: str, canonical: str) -> ColumnElement[bool]:
    theirs: ColumnElement[bool] = table.c.canonical == canonical
    return theirs | (table.c.subscriber_id == subscriber_id) if "subscriber_id" in table.c else theirs


async def _forget_asked(session: Session, person: Subscriber, newsletter_id: str | None = None) -> None:
    """Forget what was asked for with that address, of one newsletter or at all."""
    for table in asked_tables():
        theirs = _theirs(table, person.id, person.canonical)
        if newsletter_id is None:
            await session.execute(delete(table).where(theirs))
        elif "newsletter_id" in table.c:
            await session.execute(delete(table).where(theirs, table.c.newsletter_id == newsletter_id))


async def _agreed(session: Session, subscriber_id: str) -> list[Agreement]:
    query = (
        select(Agreement)
        .join(Subscription, col(Subscription.id) == col(Agreement.subscription_id))
        .where(Subscription.subscriber_id == subscriber_id)
        .order_by(col(Agreement.id))
    )
    return list((await session.exec(query)).all())


async def _suppress(
    session: Session, installation: Installation, person: Subscriber, cause: Cause, agreed: list[Agreement]
) -> None:
    """Suppress the address where that is due (RULES C4)."""
    brought = {one.newsletter_id for one in agreed if one.collection in _COULD_COME_AGAIN}
    scopes: Sequence[str | None] = sorted(brought)
    if cause in _NEVER_MORE or (brought and cause not in _OF_ONE_NEWSLETTER):
        scopes = [None]
    for newsletter_id in scopes:
        await suppression.suppress(session, installation, [person.canonical], cause, newsletter_id)


async def _has_another(session: Session, subscription: Subscription) -> bool:
    found = await session.exec(
        select(func.count())
        .select_from(Subscription)
        .where(
            Subscription.subscriber_id == subscription.subscriber_id,
            Subscription.id != subscription.id,
            col(Subscription.state) != SubscriptionState.ENDED,
        )
    )
    return found.one() > 0
