"""Counting messages that did not prove themselves: anybody may send any number of them, so few are written at once.

The first is written at once, the others of the next seconds with the one after them. So the last ones may go uncounted;
that there were any, and in which hour, does not.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy.exc import SQLAlchemyError

from newsletter.bounces.reports import actions as reports
from newsletter.bounces.reports.actions import Taken
from newsletter.database import Database
from newsletter.installation import Installation
from newsletter.logs import get_logger

_SECONDS_APART = 10.0
_log = get_logger(__name__)


@dataclass
class _Waiting:
    count: int = 0
    write_at: float | None = None


_waiting: WeakKeyDictionary[Database, dict[str, _Waiting]] = WeakKeyDictionary()


async def count(installation: Installation, way: str) -> None:
    """Count a message that came by a webhook and was not believed. Whether that can be written changes no answer."""
    waiting = _waiting.setdefault(installation.database, {}).setdefault(way, _Waiting())
    waiting.count += 1
    now = installation.clock.monotonic()
    if waiting.write_at is not None and now < waiting.write_at:
        return
    number, waiting.count, waiting.write_at = waiting.count, 0, now + _SECONDS_APART
    try:
        async with installation.database.write() as session:
            await reports.count(session, installation, way, Taken.UNPROVEN, number)
    except (SQLAlchemyError, OSError) as error:
        waiting.count += number
        _log.warning("webhook_not_counted", service=way, kind=type(error).__name__)
