"""What an editor must hear of: refusals that are our own fault, by their code, and the mailings they met (RULES F2).

Those that somebody has seen are no news; a later one of the same code is.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from newsletter.bounces.alarms import seen as alarms_seen
from newsletter.bounces.alarms.seen import Mark
from newsletter.bounces.reading.judging import alarm_reason
from newsletter.bounces.reading.verdicts import Verdict
from newsletter.bounces.reports.tables import AlarmSeen, CameBack
from newsletter.database import Session
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.issues.tables import Issue


@dataclass(frozen=True, slots=True)
class Met:
    """A mailing that met an alarm; `paused` is where it waits for an editor."""

    issue_id: str
    subject: str
    paused: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """Who has seen them last, as the audit trail names them, and when."""

    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Sounded:
    """How many were refused of late with a code that says we do something wrong, what it means, and in which mailings.

    Letters are counted, and are no mailing. `fresh` of them came since they were `seen`; `up_to` is the mark to see
    them all by.
    """

    code: str
    reason: str
    count: int
    fresh: int
    up_to: Mark
    seen: Seen | None
    mailings: Sequence[Met]


async def sounded(session: Session, now: datetime) -> list[Sounded]:
    """Give the alarms of the last seven days, the news first, and of these the most frequent."""
    query = (
        select(CameBack.code, CameBack.mailing_id, CameBack.day, func.sum(CameBack.count))
        .where(CameBack.verdict == Verdict.ALARM.value, col(CameBack.day) >= alarms_seen.since(now))
        .group_by(col(CameBack.code), col(CameBack.mailing_id), col(CameBack.day))
    )
    found = (await session.exec(query)).all()
    met = await _met(session, {mailing_id for _, mailing_id, _, _ in found})
    days: dict[str, Counter[datetime]] = defaultdict(Counter)
    mailings: dict[str, set[Met]] = defaultdict(set)
    for code, mailing_id, day, count in found:
        days[code][day] += int(count)
        mailings[code] |= {met[mailing_id]} if mailing_id in met else set()
    seen = {row.code: row for row in (await session.exec(select(AlarmSeen))).all()}
    all_of_them = [_sounded(code, days[code], mailings[code], seen.get(code)) for code in days]
    return sorted(all_of_them, key=lambda each: (not each.fresh, -each.count, each.code))


def _sounded(code: str, days: Mapping[datetime, int], mailings: Collection[Met], row: AlarmSeen | None) -> Sounded:
    return Sounded(
        code=code,
        reason=alarm_reason(code),
        count=sum(days.values()),
        fresh=alarms_seen.later(days, Mark(row.day, row.count) if row else None),
        up_to=alarms_seen.mark_of(days),
        seen=Seen(row.actor, row.seen_at) if row else None,
        mailings=sorted(mailings, key=lambda one: (not one.paused, one.subject, one.issue_id)),
    )


async def _met(session: Session, mailings: Collection[str]) -> dict[str, Met]:
    """Give the mailings of these ids that are there; letters have none."""
    query = select(Mailing, Issue.subject).join(Issue, col(Issue.id) == col(Mailing.issue_id))
    rows = (await session.exec(query.where(col(Mailing.id).in_(mailings)))).all()
    return {
        mailing.id: Met(mailing.issue_id, subject, mailing.state == MailingState.PAUSED) for mailing, subject in rows
    }
