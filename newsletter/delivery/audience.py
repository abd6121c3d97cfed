"""Who a mailing goes to: frozen once, in a random order, and cut into blocks (DESIGN §5)."""

from sqlalchemy import func, insert, literal, select
from sqlmodel import col

from newsletter.database import Session
from newsletter.delivery.rules import BLOCK_SIZE
from newsletter.delivery.tables import Block, Delivery, Mailing
from newsletter.subscribers.actions import mailable
from newsletter.subscribers.tables import Subscription, SubscriptionState


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
    blocks = [
        {
            "mailing_id": mailing.id,
            "number": first // BLOCK_SIZE,
            "first": first,
            "last": min(first + BLOCK_SIZE, size) - 1,
            "done_to": first,
            "marked_to": first,
        }
        for first in range(0, size, BLOCK_SIZE)
    ]
    if blocks:
        await session.execute(insert(Block), blocks)
    return size
