"""Asking for a newsletter, and confirming it from the mailbox.

A request does the same work for every address, known or not, and changes nothing about anybody (RULES H3): it writes a
request, the agreement that waits with it, and a letter. Which letter that becomes, the worker decides when it is
mailed. Only the confirming POST makes what was typed true.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, insert
from sqlmodel import col, select

from newsletter.addresses import Address, canonical
from newsletter.agreements import actions as agreements
from newsletter.agreements.notices.actions import Shown
from newsletter.agreements.traces import suppression
from newsletter.clock import Clock
from newsletter.database import Session, table_of
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.mail.outbox import enqueue, enqueue_for_requests
from newsletter.mail.tables import LetterKind
from newsletter.newsletters.tables import Newsletter
from newsletter.signup.rules import FIELDS, Signup
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers import actions as subscribers
from newsletter.subscribers.search import matching
from newsletter.tokens import InvalidToken, Keyring, decode_id, encode_id, new_id

_PURPOSE = "confirm"
_PURGED_AT_ONCE = 500
_REQUESTS = table_of(SignupRequest)


class LinkExpired(NotFound):
    """The confirmation link was used up, has expired, or was never ours. They can't be told apart, nor need they."""

    status = 410
    title = "This link is no longer valid"


@dataclass(frozen=True, slots=True)
class Asked:
    """How somebody asked: the notice they saw, whether our own form showed it, and from where. The link is good for
    `hours`. Who was brought by an import has its `source` and the hash of its evidence.
    """

    notice: Shown
    witnessed: bool
    origin: agreements.Origin
    hours: int
    source: str | None = None
    evidence_hash: str | None = None


def confirmation_token(keys: Keyring, request_id: str) -> str:
    """Give the token of a request's confirmation link; the same each time, so that a letter mailed twice has one
    link.
    """
    return keys.sign(_PURPOSE, decode_id(request_id))


async def ask(
    session: Session, installation: Installation, newsletter: Newsletter, signup: Signup, asked: Asked
) -> str:
    """Write down a signup request with its letter; give the request's id."""
    return (await ask_all(session, installation, [(newsletter.id, signup, asked)]))[0]


async def ask_all(
    session: Session, installation: Installation, wanted: Sequence[tuple[str, Signup, Asked]], *, bulk: bool = False
) -> list[str]:
    """Write down signup requests with their letters, each for the newsletter of that id; give the requests' ids.

    `bulk` letters stand in the lane for many.
    """
    ids = [new_id() for _ in wanted]
    requests, agreed = [], []
    for request_id, (newsletter_id, signup, asked) in zip(ids, wanted, strict=True):
        requests.append(_request(installation.clock, request_id, newsletter_id, signup, asked.hours))
        agreed.append(
            agreements.Requested(
                newsletter_id,
                request_id,
                asked.notice,
                asked.witnessed,
                asked.origin,
                source=asked.source,
                evidence_hash=asked.evidence_hash,
            )
        )
    await session.execute(insert(_REQUESTS), requests)
    await agreements.request(session, installation, agreed)
    await enqueue_for_requests(session, installation.clock, LetterKind.CONFIRMATION, ids, bulk=bulk)
    return ids


def _request(clock: Clock, request_id: str, newsletter_id: str, signup: Signup, hours: int) -> dict[str, object]:
    now = clock.now()
    return {
        "id": request_id,
        "newsletter_id": newsletter_id,
        "email": signup.address.email,
        "canonical": signup.address.canonical,
        "language": signup.language,
        "requested_at": now,
        "expires_at": now + timedelta(hours=hours),
    } | {field: signup.details[field] for field in FIELDS}


async def look_up(session: Session, clock: Clock, keys: Keyring, token: str, *, lock: bool = False) -> SignupRequest:
    """Give the request of a confirmation link, which may be confirmed already. Raises LinkExpired."""
    try:
        request_id = encode_id(keys.read(_PURPOSE, token))
    except InvalidToken:
        request_id = ""
    request = await session.get(SignupRequest, request_id, with_for_update=lock)
    if request is None or request.expires_at <= clock.now():
        raise LinkExpired("This link has been used or has expired. You are welcome to sign up again.")
    return request


async def confirm(session: Session, installation: Installation, token: str) -> tuple[SignupRequest, bool]:
    """Consume a confirmation link; give its request, and whether it had been confirmed already. Raises LinkExpired.

    From here on the person is subscribed under the agreement that waited with the request.
    """
    clock = installation.clock
    request = await look_up(session, clock, installation.keys, token, lock=True)
    if request.confirmed_at is not None or request.email is None or request.canonical is None:
        return request, True
    address = Address(request.email, request.canonical)
    details = {field: getattr(request, field) for field in FIELDS}
    subscriber = await subscribers.enter(session, clock, address, request.language, details)
    # Whoever confirms from a mailbox shows that it is alive.
    await subscribers.forget_signals(session, subscriber.id)
    subscription = await subscribers.current_subscription(session, subscriber.id, request.newsletter_id)
    if subscription is None:
        subscription = await subscribers.subscribe(session, clock, subscriber.id, request.newsletter_id)
        enqueue(session, clock, LetterKind.WELCOME, subscription_id=subscription.id)
    await suppression.lift(session, installation, address.canonical, request.newsletter_id)
    await agreements.give(session, installation, request.id, subscription.id, token)
    _empty(request, subscriber.id, clock)
    return request, False


def _empty(request: SignupRequest, subscriber_id: str, clock: Clock) -> None:
    request.email = request.canonical = None
    for field in FIELDS:
        setattr(request, field, None)
    request.subscriber_id = subscriber_id
    request.confirmed_at = clock.now()


async def pending(session: Session, newsletter_id: str, text: str = "", limit: int = 50) -> list[SignupRequest]:
    """Give the requests that wait for their mailbox and match `text`, the newest first, one for each address."""
    query = select(SignupRequest).where(
        SignupRequest.newsletter_id == newsletter_id, col(SignupRequest.confirmed_at).is_(None)
    )
    if wanted := canonical(text.strip()):
        query = query.where(matching(SignupRequest, wanted))
    found = (await session.exec(query.order_by(col(SignupRequest.requested_at)).limit(limit))).all()
    newest = {request.canonical: request for request in found}
    return list(reversed(newest.values()))


async def count_pending(session: Session, newsletter_id: str) -> int:
    """Give how many addresses wait for their mailbox."""
    query = select(func.count(func.distinct(SignupRequest.canonical))).where(
        SignupRequest.newsletter_id == newsletter_id, col(SignupRequest.confirmed_at).is_(None)
    )
    return (await session.exec(query)).one()


async def count_unconfirmed(session: Session, clock: Clock) -> int:
    """Give how many requests there are whose time is over."""
    over = col(SignupRequest.expires_at) <= clock.now()
    return (await session.exec(select(func.count()).select_from(SignupRequest).where(over))).one()


async def purge_unconfirmed(session: Session, clock: Clock) -> int:
    """Delete the requests whose time is over, with the agreements that waited with them (RULES C6); give how many."""
    purged = 0
    query = select(SignupRequest.id).where(SignupRequest.expires_at <= clock.now())
    # One that somebody works on just now is left to the next time.
    over = query.limit(_PURGED_AT_ONCE).with_for_update(skip_locked=True)
    while found := (await session.exec(over)).all():
        await session.execute(delete(SignupRequest).where(col(SignupRequest.id).in_(found)))
        purged += len(found)
    return purged
