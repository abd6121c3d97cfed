"""Alarms that were seen: somebody has looked at the alarms of a code, up to the last one they were shown.

From then on they are no news, and every later one is. What was shown is named by a mark, its last day and how many
there were that day; for more may have come between the showing and the answer.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, delete, func, or_
from sqlmodel import col, select

from newsletter.bounces.reading.verdicts import Verdict
from newsletter.bounces.reports.tables import AlarmSeen, CameBack
from newsletter.clock import day_of
from newsletter.database import Session, insert, rows_of
from newsletter.errors import InvalidInput, NotFound
from newsletter.installation import Installation

# One that was mended is silent after that.
SHOWN = timedelta(days=7)
PATTERN = "^([0-9]{4}-[0-9]{2}-[0-9]{2})[.]([1-9][0-9]{0,8})$"
_MARK = re.compile(PATTERN)
_NO_MARK = "Say up to where they were seen, as the list of alarms does: `up_to`, such as 2026-12-24.12."


class Mark(NamedTuple):
    """Up to where the alarms of a code go: a day, and how many came on it."""

    day: datetime
    number: int

    def __str__(self) -> str:
        """Give it as `read` reads it."""
        return f"{self.day:%Y-%m-%d}.{self.number}"


def read(text: str) -> Mark:
    """Read a mark. Raises InvalidInput."""
    found = _MARK.fullmatch(text.strip())
    try:
        day = datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if found else None
    except ValueError:
        day = None
    if found is None or day is None:
        raise InvalidInput(_NO_MARK, {"up_to": _NO_MARK})
    return Mark(day, int(found[2]))


def since(now: datetime) -> datetime:
    """Give the first of the days whose alarms are shown."""
    return day_of(now) - SHOWN + timedelta(days=1)


def mark_of(days: Mapping[datetime, int]) -> Mark:
    """Give the mark of what came, by day."""
    return Mark(max(days), days[max(days)])


def later(days: Mapping[datetime, int], seen: Mark | None) -> int:
    """Give how many of those that came, by day, came after a mark; all of them where there is none."""
    if seen is None:
        return sum(days.values())
    of_that_day = max(0, days.get(seen.day, 0) - seen.number)
    return of_that_day + sum(count for day, count in days.items() if day > seen.day)


async def see(session: Session, installation: Installation, code: str, up_to: Mark, actor: str) -> int:
    """Note that the alarms of a code were seen up to a mark; give how many that are, 0 where that is no news.

    Nobody can see what has not come yet. Raises NotFound where no such alarm is shown.
    """
    now = installation.clock.now()
    days = {day: count for day, count in (await _by_day(session, code, now)).items() if day <= up_to.day}
    if not days:
        raise NotFound("There is no alarm of this code just now.")
    mark = mark_of(days)
    if mark.day == up_to.day:
        mark = Mark(mark.day, min(mark.number, up_to.number))
    values = {"code": code, "day": mark.day, "count": mark.number, "seen_at": now, "actor": actor}
    statement = insert(session, AlarmSeen).values(**values)
    new = statement.excluded
    further = or_(col(AlarmSeen.day) < new.day, and_(col(AlarmSeen.day) == new.day, col(AlarmSeen.count) < new.count))
    changes = {name: value for name, value in values.items() if name != "code"}
    statement = statement.on_conflict_do_update(index_elements=["code"], set_=changes, where=further)
    is_news = rows_of(await session.execute(statement))
    return sum(days.values()) - days[mark.day] + mark.number if is_news else 0


async def _by_day(session: Session, code: str, now: datetime) -> dict[datetime, int]:
    """Give how many alarms of a code came on each of the days that are shown."""
    query = (
        select(CameBack.day, func.sum(CameBack.count))
        .where(CameBack.verdict == Verdict.ALARM.value, CameBack.code == code, col(CameBack.day) >= since(now))
        .group_by(col(CameBack.day))
    )
    return {day: int(count) for day, count in (await session.exec(query)).all()}


async def count_over(session: Session, installation: Installation) -> int:
    """Give of how many codes it is noted that alarms were seen, which are shown no more."""
    over = col(AlarmSeen.day) < since(installation.clock.now())
    return (await session.exec(select(func.count()).select_from(AlarmSeen).where(over))).one()


async def purge_over(session: Session, installation: Installation) -> int:
    """Forget that alarms were seen which are shown no more; give of how many codes."""
    over = col(AlarmSeen.day) < since(installation.clock.now())
    return rows_of(await session.execute(delete(AlarmSeen).where(over)))
