"""The worker's loop over the reports that were taken: what is due from them follows (`consequences.py`).

Each is tried again until it is over. One that fails is tried later, so that it stands in no other's way.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import groupby

from sqlalchemy import func, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from newsletter.bounces.consequences import settle
from newsletter.bounces.reading.verdicts import Verdict
from newsletter.bounces.reports.tables import Report, ReportState
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.logs import get_logger, where
from newsletter.loops import Due

_MOST_AT_ONCE = 500
# Whoever else writes waits for so many.
_MOST_TOGETHER = 20
_LATER = timedelta(minutes=1)
# The others are recorded, and that is all.
_ACTING = frozenset({Verdict.DEAD, Verdict.DEAD_IF_REPEATED, Verdict.ALARM, Verdict.COMPLAINT, Verdict.UNSUBSCRIBE})
_log = get_logger(__name__)


def when_due() -> tuple[Due, ...]:
    """Give when the next of them is due."""
    return (select(func.min(Report.due_at)).where(Report.state == ReportState.TAKEN),)


async def settle_taken(installation: Installation) -> int:
    """Let follow what is due from the reports that were taken; give how many were looked at."""
    due = (Report.state == ReportState.TAKEN, Report.due_at <= installation.clock.now())
    query = select(Report.id, Report.verdict).where(*due).order_by(col(Report.due_at), col(Report.id))
    async with installation.database.read() as session:
        taken = (await session.exec(query.limit(_MOST_AT_ONCE))).all()
    # SQLite's commits wait for the disk, and nobody there waits for a row. Elsewhere each holds its person alone.
    together = _MOST_TOGETHER if installation.database.on_sqlite else 1
    for group in _groups(taken, together):
        await _settle_group(installation, group)
    return len(taken)


def _groups(taken: Sequence[tuple[str, str]], most: int) -> Iterator[list[str]]:
    """Give the ids in their order, those together that are only recorded."""
    for recorded, some in groupby(taken, lambda one: one[1] not in _ACTING):
        ids, size = [report_id for report_id, _ in some], most if recorded else 1
        yield from (ids[first : first + size] for first in range(0, len(ids), size))


async def _settle_group(installation: Installation, group: Sequence[str]) -> None:
    try:
        if len(group) > 1:
            await installation.database.write_at_once(partial(_settle_all, installation, group))
            return
        async with installation.database.write() as session:
            await settle(session, installation, group[0])
    except Exception as error:
        # One that can't be settled must not stop the others; it is tried again.
        if len(group) == 1:
            _log.error("report_not_settled", kind=type(error).__name__, where=where(error))
            await _put_off(installation, group[0])
            return
        for report_id in group:
            await _settle_group(installation, [report_id])


async def _settle_all(installation: Installation, group: Sequence[str], session: Session) -> None:
    for report_id in group:
        await settle(session, installation, report_id)


async def _put_off(installation: Installation, report_id: str) -> None:
    still = (col(Report.id) == report_id, col(Report.state) == ReportState.TAKEN)
    later = update(Report).where(*still).values(due_at=installation.clock.now() + _LATER)
    # Where the database is away it is due at once, as all others are.
    with suppress(SQLAlchemyError, OSError):
        async with installation.database.write() as session:
            await session.execute(later)
