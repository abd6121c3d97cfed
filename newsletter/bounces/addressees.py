"""Whom a report is about: whom the return address is signed for, and nobody that the report names (RULES F5)."""

import re
from typing import NamedTuple

from sqlmodel import col, select

from newsletter.bounces.mime import Mail
from newsletter.database import Session
from newsletter.delivery import return_address
from newsletter.delivery.return_address import Aim, Fault, ReturnedDelivery, ReturnedLetter
from newsletter.delivery.tables import Delivery
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import Subscriber, Subscription
from newsletter.unsubscribe.actions import read_token
from newsletter.unsubscribe.mailto import read_mailbox

_RETURNED = (
    *("message/rfc822", "text/rfc822", "text/rfc822-headers", "message/rfc822-headers"),
    "message/feedback-report",
)
_MOST = 20_000
_ADDRESS = re.compile(r"[\w.+=-]{20,64}@[\w.-]{1,253}")
_LINK = re.compile(r"/unsubscribe/([\w-]{20,200})")


class Addressee(NamedTuple):
    """Whom a mail of ours went to, by a delivery, a letter about a subscription, or one about a signup request."""

    email: str
    subscription_id: str | None
    request_id: str | None
    mailing_id: str | None = None
    number: int | None = None


async def of_aim(session: Session, aim: Aim) -> Addressee | None:
    """Give whom a return address is signed for; None where they are gone. Whoever is there stays until the commit."""
    if isinstance(aim, ReturnedDelivery):
        return await _of_delivery(session, aim)
    return await _of_subscription(session, aim.about) or await _of_request(session, aim.about)


async def _of_delivery(session: Session, aim: ReturnedDelivery) -> Addressee | None:
    query = select(Delivery.subscription_id).where(Delivery.mailing_id == aim.mailing_id, Delivery.number == aim.number)
    subscription_id = (await session.exec(query)).first()
    found = await _of_subscription(session, subscription_id) if subscription_id else None
    return found._replace(mailing_id=aim.mailing_id, number=aim.number) if found else None


async def _of_subscription(session: Session, subscription_id: str) -> Addressee | None:
    query = (
        select(Subscriber.email)
        .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
        .where(Subscription.id == subscription_id)
        # A report's row is to hang on it.
        .with_for_update(of=Subscription, key_share=True, read=True)
    )
    email = (await session.exec(query)).first()
    return Addressee(email, subscription_id, None) if email is not None else None


async def _of_request(session: Session, request_id: str) -> Addressee | None:
    # A confirmed one is emptied: whoever confirmed from the mailbox is not dead.
    query = select(SignupRequest.email).where(SignupRequest.id == request_id, col(SignupRequest.email).is_not(None))
    email = (await session.exec(query.with_for_update(key_share=True, read=True))).first()
    return Addressee(email, None, request_id) if email is not None else None


def within_complaint(installation: Installation, mail: Mail) -> Aim | Fault:
    """Give whom a complaint is about: the mail that it brings back carries ids that we signed (RULES F7)."""
    text = "\n".join(part.text[:_MOST] for part in mail.of_kind(*_RETURNED))
    keys, domain, now = installation.keys, installation.settings.bounce_domain, installation.clock.now()
    worst = Fault.FOREIGN
    for found in _ADDRESS.finditer(text):
        aim = return_address.read(keys, domain, found.group(), now)
        if not isinstance(aim, Fault):
            return aim
        worst = worst if aim is Fault.FOREIGN else aim
    subscription_id = _unsubscribing(installation, text)
    return ReturnedLetter(subscription_id, now) if subscription_id else worst


def _unsubscribing(installation: Installation, text: str) -> str | None:
    for found in _ADDRESS.finditer(text):
        if named := read_mailbox(installation.keys, found.group(), installation.settings.bounce_domain):
            return named
    for found in _LINK.finditer(text):
        try:
            return read_token(installation.keys, found.group(1))
        except NotFound:
            continue
    return None
