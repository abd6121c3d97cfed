"""What one subscription rests on: its newest agreement, since when, and when its reader last heard of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from newsletter.agreements import actions as agreements
from newsletter.agreements.tables import Agreement, AgreementEvent, EventKind
from newsletter.database import Session

AGREED = (EventKind.GIVEN, EventKind.IMPORTED, EventKind.RENEWED)
HEARD = (*AGREED, EventKind.REMINDED)


@dataclass(frozen=True, slots=True)
class Holding:
    """The agreement, when it was given or last renewed, and when its reader last agreed, renewed or was reminded."""

    agreement: Agreement
    agreed_at: datetime
    heard_at: datetime


async def holding_of(session: Session, subscription_id: str) -> Holding | None:
    """Give what a subscription rests on; None where that is nothing."""
    found = await agreements.of_subscription(session, subscription_id)
    agreed_at = await _last(session, subscription_id, AGREED)
    heard_at = await _last(session, subscription_id, HEARD)
    if not found or agreed_at is None or heard_at is None:
        return None
    return Holding(found[-1], agreed_at, heard_at)


async def _last(session: Session, subscription_id: str, kinds: Sequence[EventKind]) -> datetime | None:
    query = (
        select(func.max(AgreementEvent.at))
        .join(Agreement, col(Agreement.id) == col(AgreementEvent.agreement_id))
        .where(Agreement.subscription_id == subscription_id, col(AgreementEvent.kind).in_(kinds))
    )
    return (await session.exec(query)).one()
