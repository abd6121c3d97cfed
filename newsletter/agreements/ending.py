"""How it ends: a subscription, and with the last one the person (RULES C1).

There is one way to delete a person, and it is one DELETE: everything that belongs to a subscriber hangs on that row.
The ledger's figures don't, so they stay as they are (RULES C8).
"""

from enum import StrEnum

from sqlalchemy import delete, func
from sqlmodel import col, select

from newsletter.agreements import actions
from newsletter.agreements.tables import EventKind
from newsletter.clock import Clock
from newsletter.database import Session
from newsletter.mail.tables import Letter
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState


class Ending(StrEnum):
    """What came of it."""

    NOTHING = "nothing"
    SUBSCRIPTION = "subscription"
    PERSON = "person"


async def end_subscription(session: Session, clock: Clock, subscription_id: str, origin: actions.Origin) -> Ending:
    """End a subscription, and delete the person where it was the last. Doing it again does nothing (RULES E2)."""
    subscription = await _locked(session, subscription_id)
    if subscription is None or subscription.state == SubscriptionState.ENDED:
        return Ending.NOTHING
    if not await _has_another(session, subscription):
        await delete_person(session, subscription.subscriber_id)
        return Ending.PERSON
    subscription.state = SubscriptionState.ENDED
    subscription.ended_at = clock.now()
    await session.execute(delete(Letter).where(col(Letter.subscription_id) == subscription.id))
    for agreement in await actions.of_subscription(session, subscription.id):
        actions.append(session, clock, agreement.id, EventKind.WITHDRAWN, origin)
    return Ending.SUBSCRIPTION


async def delete_person(session: Session, subscriber_id: str) -> None:
    """Delete a person and everything that is theirs."""
    await session.execute(delete(Subscriber).where(col(Subscriber.id) == subscriber_id))


async def _locked(session: Session, subscription_id: str) -> Subscription | None:
    """Give the subscription with its subscriber locked, in the order in which a deletion locks them.

    So two last subscriptions that end at the same moment never each take the other for the last one.
    """
    owner = select(Subscription.subscriber_id).where(Subscription.id == subscription_id).scalar_subquery()
    await session.exec(select(Subscriber.id).where(col(Subscriber.id) == owner).with_for_update())
    # Read anew: whoever held the lock before us may have ended it since this session first saw it.
    return await session.get(Subscription, subscription_id, with_for_update=True, populate_existing=True)


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
