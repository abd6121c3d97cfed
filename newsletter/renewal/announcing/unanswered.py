"""What comes of a question about a changed notice that nobody answered in time: nothing, or the end (RULES A7).

Only who was sent the question can leave it unanswered: a letter that the relay refused ends nobody's subscription.
"""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import col, select

from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, Ending, end_subscription
from newsletter.database import Session, rows_of
from newsletter.installation import Installation
from newsletter.renewal.announcing.audience import line_at
from newsletter.renewal.holding import holding_of
from newsletter.renewal.tables import NoticeMailing, NoticeMailingKind, NoticeMailingState, RenewalLetter, RenewalState
from newsletter.subscribers.actions import mailable
from newsletter.subscribers.tables import Subscriber, Subscription

_MOST = 1000
_ORIGIN = Origin("system", "renewal")
_OPEN = (NoticeMailingState.SENDING, NoticeMailingState.ANSWERING)


async def close(installation: Installation) -> None:
    """Settle every question whose time is over, and finish the mailings that wait for no more answers."""
    async with installation.database.read() as session:
        query = select(NoticeMailing).where(
            NoticeMailing.kind == NoticeMailingKind.RECONFIRMATION, col(NoticeMailing.state).in_(_OPEN)
        )
        mailings = (await session.exec(query)).all()
    for mailing in mailings:
        over = installation.clock.now() - timedelta(days=mailing.days)
        if mailing.ends:
            await _end_all(installation, mailing, over)
        async with installation.database.write() as session:
            await _leave(session, installation, mailing, over)
            await _finish(session, installation, mailing.id)


async def _end_all(installation: Installation, mailing: NoticeMailing, over: datetime) -> None:
    async with installation.database.read() as session:
        found = (await session.exec(_over(mailing.id, over).limit(_MOST))).all()
    for row_id in found:
        async with installation.database.write() as session:
            await _end(session, installation, mailing, row_id)


def _over(mailing_id: str, over: datetime):  # type: ignore[no-untyped-def]  # SQLAlchemy has no short name for its type
    return select(RenewalLetter.id).where(
        RenewalLetter.mailing_id == mailing_id, RenewalLetter.state == RenewalState.SENT, RenewalLetter.at <= over
    )


async def _end(session: Session, installation: Installation, mailing: NoticeMailing, row_id: str) -> None:
    """End the subscription of one who did not answer, unless they did meanwhile, or may not be mailed just now.

    Whose processing is restricted keeps everything as it is (GDPR art. 18): they could not have been asked again.
    """
    row = await session.get(RenewalLetter, row_id)
    if row is None:
        return
    owner = select(Subscription.subscriber_id).where(Subscription.id == row.subscription_id).scalar_subquery()
    await session.exec(select(Subscriber.id).where(col(Subscriber.id) == owner).with_for_update())
    current = await session.get(RenewalLetter, row_id, with_for_update=True, populate_existing=True)
    if current is None or current.state != RenewalState.SENT:
        return
    current.state, current.at = RenewalState.UNANSWERED, installation.clock.now()
    subscription_id, counters = current.subscription_id, {"unanswered": NoticeMailing.unanswered + 1}
    if await _lapses(session, mailing, subscription_id):
        await session.flush()
        ending = await end_subscription(session, installation, subscription_id, Cause.EXPIRED, _ORIGIN)
        if ending is not Ending.NOTHING:
            counters["ended"] = NoticeMailing.ended + 1
    await session.flush()
    await session.execute(update(NoticeMailing).where(col(NoticeMailing.id) == mailing.id).values(counters))


async def _lapses(session: Session, mailing: NoticeMailing, subscription_id: str) -> bool:
    allowed = await session.exec(select(Subscription.id).where(Subscription.id == subscription_id, mailable()))
    holding = await holding_of(session, subscription_id)
    if allowed.first() is None or holding is None:
        return False
    line = await line_at(session, mailing.newsletter_id, mailing.language, mailing.valid_from)
    return line.is_behind(holding.agreement.notice_hash)


async def _leave(session: Session, installation: Installation, mailing: NoticeMailing, over: datetime) -> None:
    """Count those as unanswered who may leave it so."""
    if mailing.ends:
        return
    rows = update(RenewalLetter).where(col(RenewalLetter.id).in_(_over(mailing.id, over)))
    values = rows.values(state=RenewalState.UNANSWERED, at=installation.clock.now())
    count = rows_of(await session.execute(values, execution_options={"synchronize_session": False}))
    more = {"unanswered": NoticeMailing.unanswered + count}
    await session.execute(update(NoticeMailing).where(col(NoticeMailing.id) == mailing.id).values(more))


async def _finish(session: Session, installation: Installation, mailing_id: str) -> None:
    mailing = await session.get(NoticeMailing, mailing_id, with_for_update=True, populate_existing=True)
    open_rows = select(RenewalLetter.id).where(
        RenewalLetter.mailing_id == mailing_id, RenewalLetter.state == RenewalState.SENT
    )
    if mailing is None or mailing.state != NoticeMailingState.ANSWERING:
        return
    if (await session.exec(open_rows.limit(1))).first() is None:
        mailing.state, mailing.finished_at = NoticeMailingState.FINISHED, installation.clock.now()
