"""Who a mailing goes to: frozen once, in a random order, and cut into blocks (DESIGN §5)."""

from sqlalchemy import case, func, insert, literal, select, text
from sqlmodel import col

from newsletter.database import Session
from newsletter.delivery.rules import BLOCK_SIZE
from newsletter.delivery.statements import COUNTERS
from newsletter.delivery.tables import Block, Delivery, Mailing
from newsletter.subscribers.actions import mailable
from newsletter.subscribers.tables import Subscription, SubscriptionState

_FRESH = {
    name: literal(value)
    for name, value in (
        ("pass_number", 1),
        ("due_at", 0.0),
        ("pass_at", 0.0),
        ("leased_until", 0.0),
        ("finished", False),
        *((counter, 0) for counter in COUNTERS),
    )
}


async def freeze(session: Session, mailing: Mailing) -> int:
    """Write down who the mailing goes to, in a random order, cut into blocks; give how many."""
    number = func.row_number().over(order_by=col(Subscription.id)) - 1
    audience = select(literal(mailing.id), number, col(Subscription.id)).where(
        col(Subscription.newsletter_id) == mailing.newsletter_id,
        col(Subscription.state) == SubscriptionState.ACTIVE,
        mailable(),
    )
    await session.execute(insert(Delivery).from_select(["mailing_id", "number", "subscription_id"], audience))
    counted = select(func.count()).select_from(Delivery).where(col(Delivery.mailing_id) == mailing.id)
    size = int((await session.execute(counted)).scalar_one())
    first = col(Delivery.number)
    last = case((first + BLOCK_SIZE < size, first + BLOCK_SIZE), else_=size) - 1
    blocks = select(literal(mailing.id), first // BLOCK_SIZE, first, last, first, first, *_FRESH.values()).where(
        col(Delivery.mailing_id) == mailing.id, first % BLOCK_SIZE == 0
    )
    names = ["mailing_id", "number", "first", "last", "done_to", "marked_to", *_FRESH]
    await session.execute(insert(Block).from_select(names, blocks))
    if session.get_bind().dialect.name == "postgresql":
        # Else it plans for the number of rows there was before, and goes through all of them for each window.
        await session.execute(text("ANALYZE delivery"))
    return size
