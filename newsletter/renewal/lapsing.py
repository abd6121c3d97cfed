"""What comes due with time: reminders, questions whether to renew, and the end of what nobody renews (RULES A9).

Everything is found in the agreements' events, page by page, so that it runs as often as one likes and goes on where it
was killed. Each ending is a transaction of its own, in which everything is looked at once more.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import case, delete, func
from sqlmodel import col, select

from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, end_subscription
from newsletter.agreements.tables import Agreement, AgreementEvent
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.mail.tables import LetterKind
from newsletter.newsletters.actions import on_offer
from newsletter.newsletters.tables import Newsletter
from newsletter.renewal.announcing.feeding import put, settle_lost
from newsletter.renewal.holding import AGREED, HEARD, holding_of
from newsletter.renewal.periods import FIRST, SECOND, letters_of, sent_at
from newsletter.renewal.rules import FIRST_BEFORE, Step, add_months, is_reminder_due, renewal_step
from newsletter.renewal.tables import RenewalLetter, RenewalState
from newsletter.subscribers.actions import mailable
from newsletter.subscribers.tables import Subscriber, Subscription

PAGE = 1000
# In one run: the rest comes ten minutes later, and other letters in between.
MOST = 5000
# The database finds by days, the rules decide: months are not equally long.
_SLACK = timedelta(days=4)
_TRY_AGAIN = timedelta(days=7)
_ORIGIN = Origin("system", "renewal")
_BY_PERIOD = (LetterKind.REMINDER, FIRST, SECOND)
_STEPS = {Step.FIRST: FIRST, Step.SECOND: SECOND}


class _Due(NamedTuple):
    subscription_id: str
    heard_at: datetime
    agreed_at: datetime


async def run(installation: Installation) -> None:
    """Write the reminders and the questions that are due, and end what nobody renewed."""
    async with installation.database.write() as session:
        await _try_again(session, installation)
    async with installation.database.read() as session:
        newsletters = await on_offer(session)
    for newsletter in newsletters:
        if newsletter.reminder_months:
            await _remind(installation, newsletter)
        if newsletter.renewal_months:
            await _renew(installation, newsletter)


async def _try_again(session: Session, installation: Installation) -> None:
    """Forget the letters that the relay never took, a week later: so they are written once more."""
    await settle_lost(session, installation, None, RenewalState.FAILED, everybody=True)
    await session.execute(
        delete(RenewalLetter).where(
            col(RenewalLetter.kind).in_(_BY_PERIOD),
            col(RenewalLetter.state).in_((RenewalState.FAILED, RenewalState.LEFT_OUT)),
            col(RenewalLetter.at) <= installation.clock.now() - _TRY_AGAIN,
        )
    )


async def _remind(installation: Installation, newsletter: Newsletter) -> None:
    now, put_in = installation.clock.now(), 0
    before = add_months(now, -newsletter.reminder_months) + _SLACK
    async for page in _pages(installation, newsletter, HEARD, before):
        due = {
            each.subscription_id: each.heard_at.isoformat()
            for each in page
            if is_reminder_due(
                each.heard_at, each.agreed_at, newsletter.reminder_months, newsletter.renewal_months, now
            )
        }
        async with installation.database.write() as session:
            there = await _letters(session, due)
            wanted = {one: due[one] for one in due if (one, LetterKind.REMINDER, due[one]) not in there}
            await put(session, installation, LetterKind.REMINDER, wanted)
        put_in += len(wanted)
        if put_in >= MOST:
            return


async def _renew(installation: Installation, newsletter: Newsletter) -> None:
    now, put_in = installation.clock.now(), 0
    before = add_months(now + FIRST_BEFORE, -newsletter.renewal_months) + _SLACK
    async for page in _pages(installation, newsletter, AGREED, before):
        since = {each.subscription_id: each.agreed_at for each in page}
        steps: dict[Step, dict[str, str]] = defaultdict(dict)
        async with installation.database.write() as session:
            there = await _letters(session, since)
            for one, agreed_at in since.items():
                occasion = agreed_at.isoformat()
                step = _next(there, one, agreed_at, newsletter.renewal_months, now)
                steps[step][one] = occasion
            for step, kind in _STEPS.items():
                await put(session, installation, LetterKind.RENEWAL, steps[step], step=kind)
        for one in steps[Step.END]:
            await _end(installation, newsletter, one)
        put_in += len(steps[Step.FIRST]) + len(steps[Step.SECOND])
        if put_in >= MOST:
            return


def _next(
    there: Mapping[tuple[str, str, str], RenewalLetter], one: str, agreed_at: datetime, months: int, now: datetime
) -> Step:
    """Give what an agreement comes to next; nothing where a letter is on its way."""
    first, second = (there.get((one, kind, agreed_at.isoformat())) for kind in (FIRST, SECOND))
    if any(row is not None and row.state != RenewalState.SENT for row in (first, second)):
        return Step.NOTHING
    return renewal_step(agreed_at, months, sent_at(first), sent_at(second), now)


async def _end(installation: Installation, newsletter: Newsletter, subscription_id: str) -> None:
    """End a subscription whose agreement was not renewed, unless that has changed since it was found."""
    async with installation.database.write() as session:
        owner = select(Subscription.subscriber_id).where(Subscription.id == subscription_id).scalar_subquery()
        await session.exec(select(Subscriber.id).where(col(Subscriber.id) == owner).with_for_update())
        holding = await holding_of(session, subscription_id)
        if holding is None:
            return
        rows = await letters_of(session, subscription_id, holding.agreed_at.isoformat())
        first, second = sent_at(rows.get(FIRST)), sent_at(rows.get(SECOND))
        now, months = installation.clock.now(), newsletter.renewal_months
        if renewal_step(holding.agreed_at, months, first, second, now) is Step.END:
            await end_subscription(session, installation, subscription_id, Cause.EXPIRED, _ORIGIN)


async def _letters(session: Session, among: Mapping[str, object]) -> Mapping[tuple[str, str, str], RenewalLetter]:
    """Give the letters of these subscriptions, each by subscription, kind and occasion."""
    query = select(RenewalLetter).where(
        col(RenewalLetter.subscription_id).in_(list(among)), col(RenewalLetter.kind).in_(_BY_PERIOD)
    )
    return {(row.subscription_id, row.kind, row.occasion): row for row in (await session.exec(query)).all()}


async def _pages(
    installation: Installation, newsletter: Newsletter, kinds: Sequence[str], before: datetime
) -> AsyncIterator[list[_Due]]:
    """Give those who may be mailed and whose last event of these kinds is that old, page by page."""
    after = ""
    while True:
        async with installation.database.read() as session:
            page = await _page(session, newsletter.id, kinds, before, after)
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = page[-1].subscription_id


async def _page(session: Session, newsletter_id: str, kinds: Sequence[str], before: datetime, after: str) -> list[_Due]:
    at, kind = col(AgreementEvent.at), col(AgreementEvent.kind)
    last = func.max(at)
    agreed = func.max(case((kind.in_(AGREED), at)))
    query = (
        select(col(Subscription.id), last, agreed)
        .join(Agreement, col(Agreement.subscription_id) == col(Subscription.id))
        .join(AgreementEvent, col(AgreementEvent.agreement_id) == col(Agreement.id))
        .where(
            col(Subscription.newsletter_id) == newsletter_id,
            mailable(),
            col(Subscription.created_at) <= before,
            col(Subscription.id) > after,
            kind.in_(kinds),
        )
        .group_by(col(Subscription.id))
        .having(last <= before)
        .order_by(col(Subscription.id))
        .limit(PAGE)
    )
    return [_Due(*row) for row in (await session.execute(query)).all() if row[2] is not None]
