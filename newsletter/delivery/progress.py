"""How a mailing stands, how fast it goes, and when it will be done. Read from the ledger.

No delivery has a time (promise P3), so the rate can't be read from the results. Instead the mailing keeps, only as long
as it is being sent, how many deliveries were dealt with a moment ago and a moment before that: the rate is what has
happened since the earlier of the two.
"""

import math
from dataclasses import dataclass

from sqlalchemy import func, or_
from sqlmodel import col, select

from newsletter.database import Session, database_seconds
from newsletter.delivery import ledger
from newsletter.delivery.statements import COUNTERS
from newsletter.delivery.tables import Block, Mailing, MailingState

SAMPLE_SECONDS = 10.0
# What went out within less says little about how it goes.
_FEWEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a mailing stands; the counts add up to its audience."""

    state: str
    audience: int
    queued: int
    delivered: int
    deferred: int
    refused: int
    in_doubt: int
    withdrawn: int

    @property
    def done(self) -> int:
        """Give how many have been dealt with, though some of them are to be tried again."""
        return self.audience - self.queued


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a mailing goes: deliveries a minute, and the seconds until everybody had a turn. None: unknown."""

    rate: float | None = None
    seconds_left: int | None = None


async def progress(session: Session, mailing: Mailing) -> Progress:
    """Count how the mailing stands."""
    sums = [func.coalesce(func.sum(col(getattr(Block, name))), 0) for name in COUNTERS]
    row = (await session.exec(select(*sums).where(Block.mailing_id == mailing.id))).one()
    counts = dict(zip(COUNTERS, map(int, row), strict=True))
    queued = mailing.audience - sum(counts.values())
    if mailing.state == MailingState.CANCELLED:
        counts["withdrawn"] += queued + counts["deferred"]
        queued = counts["deferred"] = 0
    return Progress(state=mailing.state, audience=mailing.audience, queued=queued, **counts)


async def pace(session: Session, mailing: Mailing, standing: Progress) -> Pace:
    """Give how fast a mailing that stands so goes; unknown where it is not being sent, or has only just begun."""
    since, before = mailing.earlier_at, mailing.earlier_done
    if mailing.state != MailingState.SENDING or since is None or before is None or not standing.queued:
        return Pace()
    return pace_of(standing.done - before, await ledger.now(session) - since, standing.queued)


def pace_of(done: int, seconds: float, queued: int) -> Pace:
    """Reckon the pace from what was done in so many seconds, with so many still waiting. Pure."""
    if seconds < _FEWEST_SECONDS or done < 0:
        return Pace()
    rate = 60.0 * done / seconds
    return Pace(rate, math.ceil(queued * 60.0 / rate) if rate else None)


async def sample(session: Session) -> None:
    """Keep how far the mailings on their way are, where the last look is `SAMPLE_SECONDS` old."""
    old = col(Mailing.sampled_at) <= database_seconds() - SAMPLE_SECONDS
    query = select(Mailing).where(Mailing.state == MailingState.SENDING, or_(col(Mailing.sampled_at).is_(None), old))
    for mailing in (await session.exec(query.with_for_update(skip_locked=True))).all():
        if mailing.sampled_at is None:
            await begin_samples(session, mailing)
            continue
        mailing.earlier_at, mailing.earlier_done = mailing.sampled_at, mailing.sampled_done
        mailing.sampled_at = await ledger.now(session)
        mailing.sampled_done = (await progress(session, mailing)).done


async def begin_samples(session: Session, mailing: Mailing) -> None:
    """Begin to look how fast a mailing goes."""
    mailing.sampled_at = mailing.earlier_at = await ledger.now(session)
    mailing.sampled_done = mailing.earlier_done = (await progress(session, mailing)).done


def forget_pace(mailing: Mailing) -> None:
    """Forget how far a mailing was, and when, and what was in its way: it is not being sent any more (promise P3)."""
    mailing.sampled_at = mailing.earlier_at = None
    mailing.sampled_done = mailing.earlier_done = None
    mailing.trouble = None
