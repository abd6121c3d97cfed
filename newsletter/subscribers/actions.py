"""Finding and making subscribers, and what they subscribe to."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, delete, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from newsletter.addresses import Address
from newsletter.clock import Clock
from newsletter.database import Session, insert
from newsletter.subscribers.tables import (
    DeadSignal,
    FirstSignal,
    MeasurementChoice,
    Subscriber,
    Subscription,
    SubscriptionState,
)
from newsletter.tokens import new_id

DETAILS = ("given_name", "family_name", "title", "employer")


def mailable(*, joined: bool = False) -> ColumnElement[bool]:
    """Give the condition, on `subscription`, under which mail may leave for it (RULES E3).

    It is active, its address was not found dead, and its subscriber did not have the processing restricted (GDPR art.
    18). Everything that mails asks this right before it does. `joined` says that the statement has `subscriber`, too.
    """
    dead = exists().where(col(DeadSignal.subscriber_id) == col(Subscription.subscriber_id))
    return (col(Subscription.state) == SubscriptionState.ACTIVE) & ~dead & _unrestricted(joined=joined)


def _unrestricted(*, joined: bool) -> ColumnElement[bool]:
    if joined:
        return col(Subscriber.restricted_at).is_(None)
    # Looked up once in an index of those few, not for each subscription.
    other = aliased(Subscriber)
    return col(Subscription.subscriber_id).not_in(select(other.id).where(col(other.restricted_at).is_not(None)))


async def forget_signals(session: Session, subscriber_id: str) -> None:
    """Take back what was said of a dead address: its mailbox has shown that it is alive, or it is another one now."""
    for table in (DeadSignal, FirstSignal):
        await session.execute(delete(table).where(col(table.subscriber_id) == subscriber_id))


async def enter(
    session: Session, clock: Clock, address: Address, language: str, details: Mapping[str, str | None]
) -> Subscriber:
    """Give the subscriber of that address, made where there is none, with the details that are given set."""
    values = {
        "id": new_id(),
        "email": address.email,
        "canonical": address.canonical,
        "language": language,
        "created_at": clock.now(),
    }
    statement = insert(session, Subscriber).values(values).on_conflict_do_nothing(index_elements=["canonical"])
    query = select(Subscriber).where(Subscriber.canonical == address.canonical).with_for_update()
    await session.execute(statement)
    while (subscriber := (await session.exec(query)).first()) is None:
        # They left while we waited for the lock, so there is room for them again.
        await session.execute(statement)
    for field in DETAILS:
        if details.get(field):
            setattr(subscriber, field, details[field])
    subscriber.language = language
    return subscriber


async def by_address(session: Session, canonical_address: str) -> Subscriber | None:
    """Give the subscriber reachable at that address."""
    return (await session.exec(select(Subscriber).where(Subscriber.canonical == canonical_address))).first()


async def locked(session: Session, subscriber_id: str) -> Subscriber | None:
    """Give a subscriber, locked and read anew; None where they are gone."""
    return await session.get(Subscriber, subscriber_id, with_for_update=True, populate_existing=True)


async def restrict(session: Session, clock: Clock, subscriber_id: str) -> bool:
    """Keep a subscriber's data, but use it for nothing: no mail (GDPR art. 18). Say whether anything changed."""
    subscriber = await locked(session, subscriber_id)
    if subscriber is None or subscriber.restricted_at is not None:
        return False
    subscriber.restricted_at = clock.now()
    return True


async def unrestrict(session: Session, subscriber_id: str) -> bool:
    """Lift the restriction. Say whether anything changed."""
    subscriber = await locked(session, subscriber_id)
    if subscriber is None or subscriber.restricted_at is None:
        return False
    subscriber.restricted_at = None
    return True


async def choose_measurement(session: Session, subscriber_id: str, choice: MeasurementChoice) -> bool:
    """Write down what a subscriber says about being measured (RULES D1, D2). Say whether anything changed."""
    subscriber = await locked(session, subscriber_id)
    if subscriber is None or subscriber.measurement == choice:
        return False
    subscriber.measurement = choice
    return True


async def rectify(session: Session, subscriber_id: str, values: Mapping[str, str | None]) -> list[str]:
    """Correct details and language of a subscriber (GDPR art. 16). Give the names of the fields that changed.

    `values` were read by the rules of a signup; a detail that is None is taken away, one that is missing stays.
    """
    subscriber = await locked(session, subscriber_id)
    changed = []
    for field in (*DETAILS, "language"):
        if subscriber is not None and field in values and getattr(subscriber, field) != values[field]:
            setattr(subscriber, field, values[field])
            changed.append(field)
    return changed


async def current_subscription(session: Session, subscriber_id: str, newsletter_id: str) -> Subscription | None:
    """Give the subscription of that subscriber to that newsletter that has not ended."""
    found = await session.exec(
        select(Subscription).where(
            Subscription.subscriber_id == subscriber_id,
            Subscription.newsletter_id == newsletter_id,
            col(Subscription.state) != SubscriptionState.ENDED,
        )
    )
    return found.first()


async def active_subscription(session: Session, newsletter_id: str, canonical_address: str) -> Subscription | None:
    """Give the active subscription of that address to that newsletter."""
    found = await session.exec(
        select(Subscription)
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(
            Subscriber.canonical == canonical_address,
            Subscription.newsletter_id == newsletter_id,
            Subscription.state == SubscriptionState.ACTIVE,
        )
    )
    return found.first()


async def subscribe(session: Session, clock: Clock, subscriber_id: str, newsletter_id: str) -> Subscription:
    """Make the subscription active, with a new id that was never used before."""
    subscription = Subscription(
        id=new_id(),
        subscriber_id=subscriber_id,
        newsletter_id=newsletter_id,
        state=SubscriptionState.ACTIVE,
        created_at=clock.now(),
    )
    session.add(subscription)
    await session.flush()
    return subscription


async def count_active(session: Session, newsletter_id: str) -> int:
    """Give how many are subscribed to the newsletter."""
    found = await session.exec(
        select(func.count())
        .select_from(Subscription)
        .where(Subscription.newsletter_id == newsletter_id, Subscription.state == SubscriptionState.ACTIVE)
    )
    return found.one()


async def count_mailable(session: Session, newsletter_id: str) -> int:
    """Give how many an issue would be mailed to at this moment."""
    query = (
        select(func.count()).select_from(Subscription).where(Subscription.newsletter_id == newsletter_id, mailable())
    )
    return (await session.exec(query)).one()
