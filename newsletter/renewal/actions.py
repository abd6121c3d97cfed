"""What the worker does about agreements: every moment, and every ten minutes; and what is forgotten in the end."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select

from newsletter.database import Session, rows_of
from newsletter.installation import Installation
from newsletter.loops import Due
from newsletter.renewal import lapsing
from newsletter.renewal.announcing import feeding, unanswered
from newsletter.renewal.tables import RenewalLetter

RULE = "renewal letters"
# Longer than anybody may take to answer.
LIFE = timedelta(days=400)


def when_due() -> tuple[Due, ...]:
    """Give when there is something to `feed`."""
    return feeding.when_due()


async def feed(installation: Installation) -> None:
    """Put the next letters of the notice mailings into the outbox."""
    await feeding.feed(installation)


async def run(installation: Installation) -> None:
    """Do what has come due with time: reminders, questions, and the end of what nobody renewed or answered."""
    await lapsing.run(installation)
    await unanswered.close(installation)


def _expired_before(installation: Installation) -> datetime:
    return installation.clock.now() - LIFE


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many rows of letters are older than any answer to them may be."""
    query = select(func.count()).select_from(RenewalLetter)
    return (await session.exec(query.where(RenewalLetter.at <= _expired_before(installation)))).one()


async def purge_expired(session: Session, installation: Installation) -> int:
    """Forget them; give how many."""
    old = delete(RenewalLetter).where(col(RenewalLetter.at) <= _expired_before(installation))
    return rows_of(await session.execute(old))
