"""The link to one's own page: asked for by anybody, mailed to whoever is known, opened once.

Asking does the same work for every address, and answers alike (promise P7): one row and one letter. Whom it concerns,
and whether a letter leaves at all, the worker decides when it would write it. A link is good for half an hour, and for
one opening; GET shows a button, POST opens (RULES H8).
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import col, select

from newsletter.addresses import Address
from newsletter.agreements.traces import tags
from newsletter.clock import Clock
from newsletter.database import Session, rows_of
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.mail.outbox import enqueue
from newsletter.mail.tables import LetterKind
from newsletter.rights.my.tables import AddressChange, MyVisit
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import Subscriber
from newsletter.tokens import InvalidToken, Keyring, decode_id, encode_id, fingerprint, new_id, new_secret

LINK_LIFE = timedelta(minutes=30)
VISIT_LIFE = timedelta(minutes=30)
# Not mailed within that time, a link is of no use any more.
_WAIT = timedelta(hours=1)
# One letter to an address in so long, however often it is asked for.
_REST = timedelta(minutes=5)
_PURPOSE = "my page"


class LinkOver(NotFound):
    """The link was used up, has expired, or was never ours. They can't be told apart, nor need they."""

    status = 410
    title = "This link no longer works"


async def ask(session: Session, clock: Clock, address: Address, language: str) -> None:
    """Write down that somebody asked for the link to the page of that address, with its letter."""
    now = clock.now()
    visit = MyVisit(
        id=new_id(),
        email=address.email,
        canonical=address.canonical,
        language=language,
        asked_at=now,
        expires_at=now + _WAIT,
    )
    session.add(visit)
    await session.flush()
    enqueue(session, clock, LetterKind.MY_LINK, visit_id=visit.id)


def link_token(keys: Keyring, visit_id: str) -> str:
    """Give the token of a visit's link; the same each time, so that a letter mailed twice has one link."""
    return keys.sign(_PURPOSE, decode_id(visit_id))


async def settle(session: Session, installation: Installation, visit_id: str) -> str | None:
    """Find out whom a visit belongs to; give the address to which its link is mailed, None where none is.

    From then on the row holds no address, unless nothing but tags is known of it. Whoever was mailed a link a moment
    ago gets no other.
    """
    visit = await session.get(MyVisit, visit_id, with_for_update=True, populate_existing=True)
    if visit is None or visit.opened_at is not None or visit.expires_at <= installation.clock.now():
        return None
    if visit.mailed_at is not None:
        return await _mailbox(session, visit)
    if not await _belongs(session, installation, visit) or await _mailed_just_now(session, installation, visit):
        visit.email = visit.canonical = visit.subscriber_id = visit.request_id = None
        visit.expires_at = installation.clock.now()
        return None
    visit.mailed_at = installation.clock.now()
    visit.expires_at = visit.mailed_at + LINK_LIFE
    return await _mailbox(session, visit)


async def _belongs(session: Session, installation: Installation, visit: MyVisit) -> bool:
    """Find whose the visit is. Rows are locked, so that two links for one person don't leave at the same moment: in
    the order in which `ending.lock_person` does it.
    """
    canonical = visit.canonical or ""
    asked = select(SignupRequest).where(SignupRequest.canonical == canonical).order_by(col(SignupRequest.id))
    request = (await session.exec(asked.limit(1).with_for_update())).first()
    whose = select(Subscriber).where(Subscriber.canonical == canonical).with_for_update()
    subscriber = (await session.exec(whose)).first()
    if subscriber is None and request is None:
        return bool(await tags.held_about(session, installation, canonical))
    visit.email = visit.canonical = None
    visit.subscriber_id = subscriber.id if subscriber else None
    visit.request_id = request.id if request and not subscriber else None
    return True


async def _mailed_just_now(session: Session, installation: Installation, visit: MyVisit) -> bool:
    await session.flush()
    whose = {"subscriber_id": visit.subscriber_id, "request_id": visit.request_id, "canonical": visit.canonical}
    same = [col(getattr(MyVisit, name)) == value for name, value in whose.items() if value is not None]
    query = select(MyVisit.id).where(
        *same, col(MyVisit.id) != visit.id, col(MyVisit.mailed_at) > installation.clock.now() - _REST
    )
    return (await session.exec(query.limit(1))).first() is not None


async def _mailbox(session: Session, visit: MyVisit) -> str | None:
    if visit.subscriber_id is not None:
        subscriber = await session.get(Subscriber, visit.subscriber_id)
        return subscriber.email if subscriber else None
    if visit.request_id is not None:
        request = await session.get(SignupRequest, visit.request_id)
        return request.email if request else None
    return visit.email


async def look(session: Session, installation: Installation, token: str, *, lock: bool = False) -> MyVisit:
    """Give the visit of a link that can be opened. Raises LinkOver."""
    try:
        visit_id = encode_id(installation.keys.read(_PURPOSE, token))
    except InvalidToken:
        visit_id = ""
    visit = await session.get(MyVisit, visit_id, with_for_update=lock)
    if visit is None or visit.opened_at is not None or visit.expires_at <= installation.clock.now():
        raise LinkOver("This link has been used or has expired. You are welcome to ask for a new one.")
    return visit


async def open_visit(session: Session, installation: Installation, token: str) -> str:
    """Use a link up; give the key of the visit that begins with it, and ends half an hour later. Raises LinkOver."""
    visit = await look(session, installation, token, lock=True)
    key = new_secret()
    visit.opened_at = installation.clock.now()
    visit.expires_at = visit.opened_at + VISIT_LIFE
    visit.key_hash = fingerprint(key)
    return key


async def canonical_of(session: Session, visit: MyVisit) -> str | None:
    """Give the address a visit is about, as it is recognised; None where its person is gone."""
    subscriber_id = visit.subscriber_id
    if visit.request_id is not None:
        request = await session.get(SignupRequest, visit.request_id)
        if request is None or request.canonical is not None:
            return request.canonical if request else None
        subscriber_id = request.subscriber_id
    if subscriber_id is None:
        return visit.canonical
    subscriber = await session.get(Subscriber, subscriber_id)
    return subscriber.canonical if subscriber else None


async def end_visits(session: Session, subscriber_id: str) -> None:
    """End every visit of a subscriber, and spoil every link that was mailed to them."""
    await session.execute(delete(MyVisit).where(col(MyVisit.subscriber_id) == subscriber_id))


def _over(installation: Installation) -> Sequence[tuple[type[MyVisit] | type[AddressChange], ColumnElement[bool]]]:
    now = installation.clock.now()
    return (
        (MyVisit, col(MyVisit.expires_at) <= now),
        (AddressChange, col(AddressChange.expires_at) <= now),
    )


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many visits are over, and new addresses that nobody confirmed."""
    counts = [
        (await session.exec(select(func.count()).select_from(table).where(over))).one()
        for table, over in _over(installation)
    ]
    return sum(counts)


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete the visits that are over, and the new addresses that nobody confirmed; give how many."""
    return sum([rows_of(await session.execute(delete(table).where(over))) for table, over in _over(installation)])
