"""What one subscription rests on: its newest agreement, since when, and when its reader last heard of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

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
    rows = await session.exec(
        select(Agreement, AgreementEvent.kind, AgreementEvent.at)
        .join(AgreementEvent, col(AgreementEvent.agreement_id) == col(Agreement.id))
        .where(Agreement.subscription_id == subscription_id, col(AgreementEvent.kind).in_(HEARD))
        .order_by(col(AgreementEvent.at), col(Agreement.id))
    )
    found = rows.all()
    given = [agreement for agreement, kind, _at in found if kind in (EventKind.GIVEN, EventKind.IMPORTED)]
    agreed = [at for _agreement, kind, at in found if kind in AGREED]
    return Holding(given[-1], agreed[-1], found[-1][2]) if given else None
