"""Leaving. The link is stateless: it works however often it is used, and after the person is gone (RULES E2).

Its token names a subscription, which is random and never used again, so a link from before somebody left can't touch
who they are when they come back; and it can do nothing but unsubscribe (RULES E7).
"""

from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, Ending, end_subscription
from newsletter.database import Session
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.subscribers.tables import Subscription
from newsletter.tokens import InvalidToken, Keyring, decode_id, encode_id

_PURPOSE = "unsubscribe"


def unsubscribe_token(keys: Keyring, subscription_id: str) -> str:
    """Give the token of a subscription's unsubscribe link."""
    return keys.sign(_PURPOSE, decode_id(subscription_id))


def read_token(keys: Keyring, token: str) -> str:
    """Give the subscription a link is about, whether it still exists or not. Raises NotFound for a link that isn't
    ours.
    """
    try:
        return encode_id(keys.read(_PURPOSE, token))
    except InvalidToken:
        raise NotFound(
            "This unsubscribe link is not complete. Please use the whole link from the newsletter."
        ) from None


async def newsletter_of(session: Session, subscription_id: str) -> Newsletter | None:
    """Give the newsletter a subscription is to, or None where it is gone."""
    subscription = await session.get(Subscription, subscription_id)
    return await session.get(Newsletter, subscription.newsletter_id) if subscription else None


async def unsubscribe(session: Session, installation: Installation, subscription_id: str, channel: str) -> Ending:
    """End a subscription, and forget what its subscriber asked of the same newsletter."""
    origin = Origin("subject", channel)
    return await end_subscription(session, installation, subscription_id, Cause.WITHDRAWN, origin)
