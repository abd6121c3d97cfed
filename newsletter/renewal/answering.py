"""Answering a letter that asks: GET shows the notice in force, POST renews the agreement (RULES A7, A9, E5).

The answer is an event of the agreement. Where the notice has become another one since, the words that were agreed to
are other words: so it is a new agreement, and the one before stays on record as it was.
"""

from dataclasses import dataclass

from sqlalchemy import update
from sqlmodel import col, select

from newsletter.agreements import actions as agreements
from newsletter.agreements.notices import actions as notices
from newsletter.agreements.tables import Agreement, EventKind, Notice
from newsletter.database import Session
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.renewal.holding import holding_of
from newsletter.renewal.links import read_token
from newsletter.renewal.periods import ASKING
from newsletter.renewal.tables import NoticeMailing, RenewalLetter, RenewalState
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState
from newsletter.tokens import fingerprint

_UNANSWERED = (RenewalState.SENT, RenewalState.UNANSWERED, RenewalState.FAILED)


class QuestionOver(NotFound):
    """The link is not ours, or the subscription it asks about has ended. They can't be told apart, nor need they."""

    status = 410
    title = "This link is no longer valid"


@dataclass(frozen=True, slots=True)
class Question:
    """What a link asks: about which agreement, under which notice it was given, and which one is in force now."""

    row: RenewalLetter
    language: str
    newsletter: Newsletter
    agreement: Agreement
    before: Notice
    now: Notice

    @property
    def answered(self) -> bool:
        """Say whether it was answered already."""
        return self.row.state == RenewalState.RENEWED


async def look(session: Session, installation: Installation, token: str) -> Question:
    """Give what a link asks. Raises QuestionOver."""
    letter_id = read_token(installation.keys, token)
    row = await session.get(RenewalLetter, letter_id) if letter_id else None
    subscription = await session.get(Subscription, row.subscription_id) if row and row.kind in ASKING else None
    if row is None or subscription is None or subscription.state != SubscriptionState.ACTIVE:
        raise QuestionOver("This link is no longer needed: the subscription it asks about has ended.")
    holding = await holding_of(session, subscription.id)
    newsletter = await session.get_one(Newsletter, subscription.newsletter_id)
    subscriber = await session.get_one(Subscriber, subscription.subscriber_id)
    assert holding is not None
    before = await session.get_one(Notice, holding.agreement.notice_hash)
    in_force = await notices.in_force(session, newsletter.id, installation.clock.now())
    return Question(
        row, subscriber.language, newsletter, holding.agreement, before, in_force.get(before.language, before)
    )


async def renew(session: Session, installation: Installation, token: str) -> Question:
    """Renew the agreement a link asks about, under the notice in force; doing it again does nothing.

    Gives the question as it was. Raises QuestionOver.
    """
    asked = await look(session, installation, token)
    # Locked in the order of a deletion, and then read anew: somebody may have pressed twice, or left.
    subscription = await session.get_one(Subscription, asked.row.subscription_id)
    await session.exec(select(Subscriber.id).where(Subscriber.id == subscription.subscriber_id).with_for_update())
    session.expire_all()
    asked = await look(session, installation, token)
    if asked.answered:
        return asked
    if asked.now.hash == asked.before.hash:
        origin, token_hash = agreements.Origin("subject", "mailbox"), fingerprint(token)
        await agreements.append(
            session, installation, asked.agreement.id, EventKind.RENEWED, origin, token_hash=token_hash
        )
    else:
        await agreements.give_anew(session, installation, asked.agreement, asked.now, token)
    await _settle(session, installation, asked.row.subscription_id)
    return asked


async def _settle(session: Session, installation: Installation, subscription_id: str) -> None:
    """Settle every question that the answer answers, this one and others that were asked meanwhile."""
    rows = await session.exec(
        select(RenewalLetter)
        .where(
            RenewalLetter.subscription_id == subscription_id,
            col(RenewalLetter.kind).in_(ASKING),
            col(RenewalLetter.state).in_(_UNANSWERED),
        )
        .order_by(col(RenewalLetter.mailing_id))
        .with_for_update()
    )
    for row in rows.all():
        was_unanswered = row.state == RenewalState.UNANSWERED
        row.state, row.at = RenewalState.RENEWED, installation.clock.now()
        if row.mailing_id:
            await session.flush()
            values = {
                "renewed": NoticeMailing.renewed + 1,
                "unanswered": NoticeMailing.unanswered - int(was_unanswered),
            }
            await session.execute(update(NoticeMailing).where(col(NoticeMailing.id) == row.mailing_id).values(values))
