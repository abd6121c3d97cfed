"""A subscriber moves to another address. It counts once the new mailbox confirms it, and then the old one is told.

The page that asks says the same whatever the new address is (promise P7): that it is somebody's already, its own
mailbox alone gets to know. Whoever confirms from a mailbox shows that it is alive and theirs, as at a signup.
"""

from datetime import timedelta

from sqlalchemy import delete, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from newsletter.addresses import Address
from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import lock_person
from newsletter.database import Session
from newsletter.errors import Conflict, InvalidInput
from newsletter.installation import Installation
from newsletter.mail.outbox import enqueue
from newsletter.mail.tables import LetterKind
from newsletter.rights.my import choices, links
from newsletter.rights.my.tables import AddressChange
from newsletter.subscribers.actions import by_address, forget_signals, locked
from newsletter.tokens import InvalidToken, Keyring, decode_id, encode_id, new_id

LIFE = timedelta(hours=24)
_PURPOSE = "new address"
# So many letters to strangers' mailboxes a page can cause.
_MOST_A_DAY = 3
SAME_ADDRESS = "This is your address already."
TOO_OFTEN = "You have asked for several new addresses today. Please confirm one of them, or try again tomorrow."
TAKEN = "This address has newsletters from us of its own. Nothing has changed."


def token(keys: Keyring, change_id: str) -> str:
    """Give the token of the link in the letter to the new mailbox; the same each time."""
    return keys.sign(_PURPOSE, decode_id(change_id))


async def ask(session: Session, installation: Installation, subscriber_id: str, address: Address) -> None:
    """Write to a new address, to have it confirmed. Raises InvalidInput for one's own, or the fourth in a day."""
    subscriber = await locked(session, subscriber_id)
    if subscriber is None:
        return
    if subscriber.email == address.email:
        raise InvalidInput(SAME_ADDRESS, {"email": SAME_ADDRESS})
    asked = select(func.count()).where(AddressChange.subscriber_id == subscriber_id)
    if (await session.exec(asked)).one() >= _MOST_A_DAY:
        raise InvalidInput(TOO_OFTEN, {"email": TOO_OFTEN})
    now = installation.clock.now()
    change = AddressChange(
        id=new_id(),
        subscriber_id=subscriber_id,
        email=address.email,
        canonical=address.canonical,
        asked_at=now,
        expires_at=now + LIFE,
    )
    session.add(change)
    await session.flush()
    enqueue(session, installation.clock, LetterKind.NEW_ADDRESS, change_id=change.id)


async def look(session: Session, installation: Installation, link: str) -> AddressChange:
    """Give the change that waits for this link. Raises LinkOver."""
    try:
        change_id = encode_id(installation.keys.read(_PURPOSE, link))
    except InvalidToken:
        change_id = ""
    change = await session.get(AddressChange, change_id, populate_existing=True)
    if change is None or change.confirmed_at is not None or change.expires_at <= installation.clock.now():
        raise links.LinkOver("This link has been used or has expired. You are welcome to ask for a new one.")
    return change


async def confirm(session: Session, installation: Installation, link: str) -> str:
    """Let the new address count; give it. The old mailbox is told, and every visit of the subscriber ends.

    Raises LinkOver, and Conflict where somebody has signed up with the address meanwhile.
    """
    change = await look(session, installation, link)
    subscriber = await lock_person(session, change.subscriber_id)
    change = await look(session, installation, link)
    assert subscriber is not None
    other = await by_address(session, change.canonical)
    if other is not None and other.id != subscriber.id:
        raise Conflict(TAKEN)
    old, new = Address(subscriber.email, subscriber.canonical), Address(change.email, change.canonical)
    subscriber.email, subscriber.canonical = new.email, new.canonical
    change.email, change.canonical = old.email, old.canonical
    change.confirmed_at = installation.clock.now()
    try:
        await session.flush()
    except IntegrityError as error:
        # Somebody signed up with it a moment ago.
        raise Conflict(TAKEN) from error
    waiting = (col(AddressChange.subscriber_id) == subscriber.id) & (col(AddressChange.id) != change.id)
    await session.execute(delete(AddressChange).where(waiting))
    await forget_signals(session, subscriber.id)
    await links.end_visits(session, subscriber.id)
    await choices.note_correction(session, installation, subscriber.id, ["email"], Origin("subject", "mailbox"))
    enqueue(session, installation.clock, LetterKind.OLD_ADDRESS, change_id=change.id)
    return new.email
