"""What an editor must hear of: refusals that are our own fault, by their code, and the mailings they met (RULES F2)."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select

from newsletter.bounces.judging import alarm_reason
from newsletter.bounces.report_tables import CameBack
from newsletter.bounces.verdicts import Verdict
from newsletter.clock import day_of
from newsletter.database import Session
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.issues.tables import Issue

# One that was mended is silent after that.
_LOUD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Met:
    """A mailing that met an alarm; `paused` is where it waits for an editor."""

    issue_id: str
    subject: str
    paused: bool


@dataclass(frozen=True, slots=True)
class Sounded:
    """How many were refused of late with a code that says we do something wrong, what it means, and in which mailings.

    Letters are counted, and are no mailing.
    """

    code: str
    reason: str
    count: int
    mailings: Sequence[Met]


async def sounded(session: Session, now: datetime) -> list[Sounded]:
    """Give the alarms of the last seven days, the most frequent first."""
    query = (
        select(CameBack.code, CameBack.mailing_id, func.sum(CameBack.count))
        .where(CameBack.verdict == Verdict.ALARM.value, col(CameBack.day) > day_of(now) - _LOUD)
        .group_by(col(CameBack.code), col(CameBack.mailing_id))
    )
    found = (await session.exec(query)).all()
    met = await _met(session, {mailing_id for _, mailing_id, _ in found})
    counts: Counter[str] = Counter()
    mailings: dict[str, list[Met]] = defaultdict(list)
    for code, mailing_id, count in found:
        counts[code] += int(count)
        mailings[code] += met.get(mailing_id, [])
    return [
        Sounded(code, alarm_reason(code), count, sorted(mailings[code], key=lambda one: (not one.paused, one.subject)))
        for code, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    ]


async def _met(session: Session, mailings: Collection[str]) -> dict[str, list[Met]]:
    """Give the mailings of these ids that are there; letters have none."""
    query = select(Mailing, Issue.subject).join(Issue, col(Issue.id) == col(Mailing.issue_id))
    rows = (await session.exec(query.where(col(Mailing.id).in_(mailings)))).all()
    return {
        mailing.id: [Met(mailing.issue_id, subject, mailing.state == MailingState.PAUSED)] for mailing, subject in rows
    }
