"""Which letters an agreement has had since it was given or last renewed, and when it therefore ends (RULES A9)."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import col, select

from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.mail.tables import LetterKind
from newsletter.newsletters.tables import Newsletter
from newsletter.renewal.holding import Holding
from newsletter.renewal.rules import holds_until
from newsletter.renewal.tables import RenewalLetter, RenewalState

FIRST = "renewal_first"
SECOND = "renewal_second"
# The letters whose link answers something.
ASKING = (LetterKind.RECONFIRMATION, FIRST, SECOND)


def occasion_of(kind: str, holding: Holding) -> str:
    """Give what a letter of that kind would be written for now: when its time began."""
    return (holding.heard_at if kind == LetterKind.REMINDER else holding.agreed_at).isoformat()


def sent_at(row: RenewalLetter | None) -> datetime | None:
    """Give when a letter was sent; None where it was not."""
    return row.at if row is not None and row.state == RenewalState.SENT else None


async def letters_of(session: Session, subscription_id: str, occasion: str) -> Mapping[str, RenewalLetter]:
    """Give the letters that were written to a subscription for that occasion, by their kind."""
    found = await session.exec(
        select(RenewalLetter).where(
            RenewalLetter.subscription_id == subscription_id,
            RenewalLetter.occasion == occasion,
            col(RenewalLetter.kind).in_((FIRST, SECOND)),
        )
    )
    return {row.kind: row for row in found.all()}


async def ends_on(
    session: Session, installation: Installation, newsletter: Newsletter, subscription_id: str, holding: Holding
) -> datetime:
    """Give when the agreement ends that is not renewed, as a letter that is written now is to say."""
    letters = await letters_of(session, subscription_id, holding.agreed_at.isoformat())
    now = installation.clock.now()
    first = sent_at(letters.get(FIRST)) or now
    second = sent_at(letters.get(SECOND)) or (now if SECOND in letters else None)
    return holds_until(holding.agreed_at, newsletter.renewal_months, first, second)
