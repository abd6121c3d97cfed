"""Receipts: the proof that outlives an agreement for a short while, without naming anybody (RULES C3).

Whoever says "I never agreed" brings their address; the tag finds the receipt, and it says which agreement under which
notice was given on which day, and how it ended on which. Whoever has no address to ask with learns nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select

from newsletter.agreements.tables import Agreement, AgreementEvent, EventKind
from newsletter.agreements.traces import tags
from newsletter.agreements.traces.tables import RECEIPTS, Receipt
from newsletter.clock import day_of
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.subscribers.tables import Subscription
from newsletter.tokens import new_id

_AGREED = (EventKind.GIVEN, EventKind.IMPORTED)


async def write(
    session: Session, installation: Installation, subscriber_id: str, canonical: str, outcome: str, at: datetime
) -> None:
    """Write a receipt for every agreement of a subscriber who is about to be deleted.

    Where a subscription ended before the last one, that was its end; one too long ago leaves no receipt.
    """
    life = timedelta(days=installation.settings.retention_receipts)
    tagger = None
    for agreement, given, ended in await _agreements(session, subscriber_id):
        ended_on = day_of(ended or at)
        if ended_on + life <= installation.clock.now():
            continue
        tagger = tagger or await tags.current(session, installation, RECEIPTS)
        session.add(
            Receipt(
                id=new_id(),
                epoch_id=tagger.epoch_id,
                tag=tagger.tag(canonical.encode()),
                newsletter_id=agreement.newsletter_id,
                agreement_id=agreement.id,
                notice_hash=agreement.notice_hash,
                given_on=day_of(given),
                ended_on=ended_on,
                outcome="withdrawn" if ended else outcome,
                expires_at=ended_on + life,
            )
        )


async def _agreements(session: Session, subscriber_id: str) -> Sequence[tuple[Agreement, datetime, datetime | None]]:
    given = func.min(AgreementEvent.at)
    query = (
        select(Agreement, given, Subscription.ended_at)
        .join(Subscription, col(Subscription.id) == col(Agreement.subscription_id))
        .join(AgreementEvent, col(AgreementEvent.agreement_id) == col(Agreement.id))
        .where(Subscription.subscriber_id == subscriber_id, col(AgreementEvent.kind).in_(_AGREED))
        .group_by(col(Agreement.id), col(Subscription.ended_at))
        .order_by(col(Agreement.id))
    )
    return (await session.exec(query)).all()


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many receipts have outlived their time."""
    return await tags.count_expired(session, installation, RECEIPTS)


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete the receipts that have outlived their time; give how many."""
    return await tags.purge_expired(session, installation, RECEIPTS)
