"""Filling the outbox with the letters of notice mailings, a few at a time.

What is put into the outbox and how far that has come is one transaction, so a mailing that was killed goes on where it
was, and nobody is written to twice: a row for each letter says so, too. At most ROOM letters of a mailing wait there at
once, in the lane for many, so the letter of a signup never waits behind them.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import exists, func, insert, update
from sqlmodel import col, select

from newsletter.database import Session, rows_of, table_of
from newsletter.installation import Installation
from newsletter.loops import Due
from newsletter.mail.outbox import enqueue_bulk
from newsletter.mail.tables import Letter, LetterKind
from newsletter.renewal.announcing.audience import Line, behind, line_at
from newsletter.renewal.tables import (
    NoticeMailing,
    NoticeMailingKind,
    NoticeMailingState,
    RenewalLetter,
    RenewalState,
)
from newsletter.subscribers.tables import Subscription, SubscriptionState
from newsletter.tokens import new_id

ROOM = 500
LETTERS = {
    NoticeMailingKind.ANNOUNCEMENT: LetterKind.NOTICE_CHANGED,
    NoticeMailingKind.RECONFIRMATION: LetterKind.RECONFIRMATION,
}
_ROWS = table_of(RenewalLetter)


def when_due() -> tuple[Due, ...]:
    """Give when the first of the notice mailings under way has letters to put."""
    return (select(func.min(NoticeMailing.starts_at)).where(NoticeMailing.state == NoticeMailingState.SENDING),)


async def feed(installation: Installation) -> None:
    """Put the next letters of every notice mailing under way into the outbox, and close those that are done."""
    now = installation.clock.now()
    async with installation.database.read() as session:
        query = select(NoticeMailing.id).where(
            NoticeMailing.state == NoticeMailingState.SENDING, NoticeMailing.starts_at <= now
        )
        going = (await session.exec(query)).all()
    for mailing_id in going:
        async with installation.database.write() as session:
            await _feed_one(session, installation, mailing_id)


async def _feed_one(session: Session, installation: Installation, mailing_id: str) -> None:
    # One that another worker has in hand is left to that one.
    query = select(NoticeMailing).where(NoticeMailing.id == mailing_id).with_for_update(skip_locked=True)
    mailing = (await session.exec(query)).first()
    if mailing is None or mailing.state != NoticeMailingState.SENDING:
        return
    await _count_lost(session, installation, mailing)
    waiting = await _count_waiting(session, mailing_id)
    now = installation.clock.now()
    if mailing.passed_at is not None and mailing.passed_at < mailing.valid_from <= now:
        mailing.passed_at, mailing.cursor = None, ""
    if mailing.passed_at is None:
        line = await line_at(session, mailing.newsletter_id, mailing.language, mailing.valid_from)
        waiting += await _put_next(session, installation, mailing, line, ROOM - waiting)
    if mailing.passed_at is not None and mailing.valid_from <= now and not waiting:
        _close(mailing, now)


def _close(mailing: NoticeMailing, now: datetime) -> None:
    """Everybody had their letter. Who left before theirs was written is counted as left out."""
    mailing.audience = max(mailing.audience, mailing.sent + mailing.failed + mailing.left_out)
    mailing.left_out = mailing.audience - mailing.sent - mailing.failed
    if mailing.kind == NoticeMailingKind.RECONFIRMATION and mailing.sent:
        mailing.state = NoticeMailingState.ANSWERING
    else:
        mailing.state, mailing.finished_at = NoticeMailingState.FINISHED, now


async def _put_next(session: Session, installation: Installation, mailing: NoticeMailing, line: Line, room: int) -> int:
    """Put up to `room` letters into the outbox; give how many. Fewer than that: everybody has been gone through."""
    if room <= 0:
        return 0
    kind = LETTERS[NoticeMailingKind(mailing.kind)]
    written = exists().where(
        col(RenewalLetter.subscription_id) == col(Subscription.id),
        col(RenewalLetter.kind) == kind,
        col(RenewalLetter.occasion) == mailing.id,
    )
    query = select(Subscription.id).where(*behind(mailing.newsletter_id, line), ~written)
    query = query.where(col(Subscription.id) > mailing.cursor).order_by(col(Subscription.id)).limit(room)
    found = (await session.exec(query)).all() if line.older else []
    await put(session, installation, kind, dict.fromkeys(found, mailing.id), mailing_id=mailing.id)
    if len(found) < room:
        mailing.passed_at = installation.clock.now()
    if found:
        mailing.cursor = found[-1]
    return len(found)


async def put(
    session: Session,
    installation: Installation,
    kind: LetterKind,
    occasions: Mapping[str, str],
    *,
    mailing_id: str | None = None,
    step: str | None = None,
) -> None:
    """Put a letter to each of these subscriptions into the outbox, with the row that goes with it.

    `occasions` gives for each what it is written for, and `step` tells apart letters of one kind.
    """
    if not occasions:
        return
    letters = {new_id(): subscription_id for subscription_id in occasions}
    same: dict[str, object] = {
        "kind": step or kind,
        "mailing_id": mailing_id,
        "state": RenewalState.WAITING,
        "at": installation.clock.now(),
    }
    rows = [
        {"id": letter, "subscription_id": subscription_id, "occasion": occasions[subscription_id]} | same
        for letter, subscription_id in letters.items()
    ]
    await session.execute(insert(_ROWS), rows)
    await enqueue_bulk(session, installation.clock, kind, letters)


async def _count_waiting(session: Session, mailing_id: str) -> int:
    query = select(func.count()).select_from(RenewalLetter)
    query = query.where(RenewalLetter.mailing_id == mailing_id, RenewalLetter.state == RenewalState.WAITING)
    return (await session.exec(query)).one()


async def _count_lost(session: Session, installation: Installation, mailing: NoticeMailing) -> None:
    """Count the letters that are no longer in the outbox, though they were not sent: refused, given up, or left."""
    mailing.left_out += await settle_lost(session, installation, mailing.id, RenewalState.LEFT_OUT)
    mailing.failed += await settle_lost(session, installation, mailing.id, RenewalState.FAILED, everybody=True)


async def settle_lost(
    session: Session, installation: Installation, mailing_id: str | None, state: str, *, everybody: bool = False
) -> int:
    """Settle the rows whose letter is gone: of those who are no longer subscribed, or of everybody."""
    gone = ~exists().where(col(Letter.id) == col(RenewalLetter.id))
    statement = update(RenewalLetter).where(
        col(RenewalLetter.mailing_id) == mailing_id if mailing_id else col(RenewalLetter.mailing_id).is_(None),
        col(RenewalLetter.state) == RenewalState.WAITING,
        gone,
    )
    if not everybody:
        ended = select(Subscription.id).where(
            col(Subscription.id) == col(RenewalLetter.subscription_id),
            col(Subscription.state) != SubscriptionState.ACTIVE,
        )
        statement = statement.where(ended.exists())
    values = statement.values(state=state, at=installation.clock.now())
    return rows_of(await session.execute(values, execution_options={"synchronize_session": False}))
