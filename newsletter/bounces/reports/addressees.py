"""Whom a report is about: whom the return address is signed for, and nobody that the report names (RULES F5)."""

import re
from collections import defaultdict
from collections.abc import Collection
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import BindParameter, Executable, bindparam, select
from sqlmodel import col

from newsletter.bounces.reading.mime import Mail
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
# The statements are made once, which takes longer than to carry them out.
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_WENT = select(col(Delivery.number), col(Delivery.subscription_id)).where(
    col(Delivery.mailing_id) == bindparam("mailing_id"),
    col(Delivery.number).in_(bindparam("numbers", expanding=True)),
)
_SUBSCRIBER = (
    select(col(Subscription.id), col(Subscriber.email))
    .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
    .where(col(Subscription.id).in_(_IDS))
    .order_by(col(Subscription.id))
)
# A confirmed one is emptied: whoever confirmed from the mailbox is not dead.
_REQUEST = (
    select(col(SignupRequest.id), col(SignupRequest.email))
    .where(col(SignupRequest.id).in_(_IDS), col(SignupRequest.email).is_not(None))
    .order_by(col(SignupRequest.id))
)
# A report's row is to hang on it.
_SUBSCRIBED = {
    waiting: _SUBSCRIBER.with_for_update(of=Subscription, key_share=True, read=True, skip_locked=not waiting)
    for waiting in (False, True)
}
_ASKED = {
    waiting: _REQUEST.with_for_update(key_share=True, read=True, skip_locked=not waiting) for waiting in (False, True)
}


T = TypeVar("T", str, int)


class Addressee(NamedTuple):
    """Whom a mail of ours went to, by a delivery, a letter about a subscription, or one about a signup request."""

    email: str
    subscription_id: str | None
    request_id: str | None
    mailing_id: str | None = None
    number: int | None = None


class Addressees(NamedTuple):
    """Who was found: whoever is there stays until the commit; of whom is `held` somebody else decides just now."""

    there: dict[Aim, Addressee]
    held: frozenset[Aim]


async def of_aims(session: Session, aims: Collection[Aim], *, waiting: bool) -> Addressees:
    """Give whom return addresses are signed for, as far as they are still there.

    Whoever is `waiting` waits for those whom somebody else holds, who may just be deleting them. That is for one alone:
    who waits with others in hand may be waited for in turn.
    """
    hung = await _of_deliveries(session, [aim for aim in aims if isinstance(aim, ReturnedDelivery)])
    hung |= {aim: aim.about for aim in aims if isinstance(aim, ReturnedLetter)}
    subscribed = await _emails(session, _SUBSCRIBED[waiting], set(hung.values()))
    letters = {aim.about for aim in aims if isinstance(aim, ReturnedLetter)}
    asked = await _emails(session, _ASKED[waiting], letters - set(subscribed))
    there: dict[Aim, Addressee] = {}
    for aim, about in hung.items():
        if about in subscribed:
            there[aim] = Addressee(subscribed[about], about, None, *_delivery(aim))
        elif about in asked:
            there[aim] = Addressee(asked[about], None, about)
    missing = {aim: about for aim, about in hung.items() if aim not in there}
    held = set() if waiting else await _there(session, set(missing.values()))
    return Addressees(there, frozenset(aim for aim, about in missing.items() if about in held))


def _delivery(aim: Aim) -> tuple[str | None, int | None]:
    return (aim.mailing_id, aim.number) if isinstance(aim, ReturnedDelivery) else (None, None)


async def _of_deliveries(session: Session, aims: Collection[ReturnedDelivery]) -> dict[Aim, str]:
    """Give the subscriptions to which deliveries went."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for aim in aims:
        numbers[aim.mailing_id].add(aim.number)
    went: dict[tuple[str, int], str] = {}
    connection = await session.connection()
    for mailing_id, some in sorted(numbers.items()):
        found = await connection.execute(_WENT, {"mailing_id": mailing_id, "numbers": rounded(some)})
        went |= {(mailing_id, number): subscription_id for number, subscription_id in found.all()}
    return {aim: went[key] for aim in aims if (key := (aim.mailing_id, aim.number)) in went}


async def _emails(session: Session, query: Executable, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    found = await (await session.connection()).execute(query, {"ids": rounded(ids)})
    return {row.id: row.email for row in found.all()}


async def _there(session: Session, ids: set[str]) -> set[str]:
    """Give which of the ids are there, whoever holds them."""
    return {*await _emails(session, _SUBSCRIBER, ids), *await _emails(session, _REQUEST, ids)}


def rounded(values: Collection[T]) -> list[T]:
    """Give values for an IN, one of them repeated until they are a power of two: so there are few statements."""
    ordered = sorted(values)
    return ordered + ordered[-1:] * ((1 << (len(ordered) - 1).bit_length()) - len(ordered)) if ordered else []


def within_complaint(installation: Installation, mail: Mail) -> tuple[Aim | Fault, bool]:
    """Give whom a complaint is about, for the mail that it brings back carries ids that we signed (RULES F7); and
    whether it is only the link in the issue that says so.
    """
    text = "\n".join(part.text[:_MOST] for part in mail.of_kind(*_RETURNED))
    keys, domain, now = installation.keys, installation.settings.bounce_domain, installation.clock.now()
    worst = Fault.FOREIGN
    for found in _ADDRESS.finditer(text):
        aim = return_address.read(keys, domain, found.group(), now)
        if not isinstance(aim, Fault):
            return aim, False
        worst = worst if aim is Fault.FOREIGN else aim
    for found in _ADDRESS.finditer(text):
        if subscription_id := read_mailbox(keys, found.group(), domain):
            return ReturnedLetter(subscription_id, now), False
    linked = _linked(installation, text)
    return (ReturnedLetter(linked, now), True) if linked else (worst, False)


def _linked(installation: Installation, text: str) -> str | None:
    for found in _LINK.finditer(text):
        try:
            return read_token(installation.keys, found.group(1))
        except NotFound:
            continue
    return None
