"""The single reports of the last 30 days, as their status fields (RULES C7): never the mail, never an address."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from newsletter.bounces.reports.tables import Report
from newsletter.clock import day_of
from newsletter.database import Session

PAGE = 50
_CURSOR = re.compile(r"(\d{4}-\d\d-\d\d)\.([0-9a-zA-Z]{1,64})")


@dataclass(frozen=True, slots=True)
class Shown:
    """One report. `day` is when it came, `sent_on` when its mail was written."""

    day: datetime
    sent_on: datetime
    way: str
    verdict: str
    code: str | None
    reason: str
    action: str | None
    status: str | None
    reply: str | None
    state: str
    why: str | None


@dataclass(frozen=True, slots=True)
class Reports:
    """A page of reports; `next` is where the page after it begins, or None."""

    items: Sequence[Shown]
    next: str | None


async def reports(session: Session, mailing_id: str | None, after: str = "") -> Reports:
    """Give the reports about a mailing, or with None those about letters; 50 on a page, of the newest mails first.

    `after` is the `next` of the page before. Anything else begins with the first page.
    """
    query = select(Report).where(Report.mailing_id == mailing_id)
    if (beyond := _beyond(after)) is not None:
        query = query.where(beyond)
    ordered = query.order_by(col(Report.sent_on).desc(), col(Report.id)).limit(PAGE + 1)
    rows = (await session.exec(ordered)).all()
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return Reports([_shown(row) for row in rows[:PAGE]], f"{last.sent_on:%Y-%m-%d}.{last.id}" if last else None)


def _beyond(after: str) -> ColumnElement[bool] | None:
    """Give the condition that a report comes after that place; None where it is no place."""
    found = _CURSOR.fullmatch(after)
    if found is None:
        return None
    try:
        day = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        return None
    return or_(col(Report.sent_on) < day, and_(col(Report.sent_on) == day, col(Report.id) > found[2]))


def _shown(report: Report) -> Shown:
    # Before it is dealt with, a report has an hour; the day is enough to look at (promise P3).
    return Shown(
        day=day_of(report.received_at),
        sent_on=report.sent_on,
        way=report.way,
        verdict=report.verdict,
        code=report.code,
        reason=report.reason,
        action=report.action,
        status=report.status,
        reply=report.reply,
        state=report.state,
        why=report.why,
    )
