"""Reading and writing the rows of reports, many at once; the statements are made once.

To make a statement takes longer than to carry it out, and thousands of reports may come at once. Rows are written
sorted by their key, so that no two transactions wait for each other; the counts, which are everybody's, come last.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, or_, select

from newsletter.bounces.reading.status_fields import StatusFields
from newsletter.bounces.reading.verdicts import Reading, Verdict
from newsletter.bounces.reports.addressees import Addressee, rounded
from newsletter.bounces.reports.tables import Received, Report, ReportState
from newsletter.clock import day_of
from newsletter.database import Session, insert_of, table_of
from newsletter.tokens import fingerprint

# A report counts for a delivery of the last days alone (RULES F5).
COUNTING = timedelta(days=5)
# Whoever holds one return address can't fill the table with it.
MOST_OF_ONE = 8
_URGENT = (Verdict.COMPLAINT, Verdict.UNSUBSCRIBE)
# Tables, not models: these are plain statements.
_REPORT, _RECEIVED = table_of(Report), table_of(Received)


class Whose(NamedTuple):
    """What came back, by the columns that say so: one delivery, or the letters about the same."""

    subscription_id: str | None
    request_id: str | None
    mailing_id: str | None
    number: int | None


_THEIRS = select(_REPORT.c.id, *(_REPORT.c[name] for name in Whose._fields)).where(
    or_(
        _REPORT.c.subscription_id.in_(bindparam("subscriptions", expanding=True)),
        _REPORT.c.request_id.in_(bindparam("requests", expanding=True)),
    )
)


class Row(NamedTuple):
    """A report as it is to be stored. An `urgent` one is stored however many there are of what came back."""

    values: Mapping[str, Any]
    whose: Whose
    urgent: bool

    @property
    def id(self) -> str:
        """Give its key, the same for whatever says the same again."""
        return str(self.values["id"])


def row(
    addressee: Addressee, written_at: datetime, reading: Reading, fields: StatusFields, way: str, now: datetime
) -> Row:
    """Give the row of a report on a mail that was written in the hour of `written_at`."""
    whose = Whose(addressee.subscription_id, addressee.request_id, addressee.mailing_id, addressee.number)
    values = {
        "id": fingerprint(f"{_what_of(whose, written_at)}/{reading.verdict}/{reading.code or ''}"),
        **whose._asdict(),
        "way": way[:16],
        "received_at": now,
        "sent_on": day_of(written_at),
        "late": now - written_at > COUNTING,
        "verdict": reading.verdict.value,
        "code": reading.code[:12] if reading.code else None,
        "reason": reading.reason[:200],
        **fields._asdict(),
        "state": ReportState.TAKEN,
        "due_at": now,
        "counted": False,
    }
    return Row(values, whose, reading.verdict in _URGENT)


def _what_of(whose: Whose, written_at: datetime) -> str:
    """Give what came back, as text: a delivery, or the letters of a day about the same."""
    if whose.mailing_id is not None:
        return f"delivery/{whose.mailing_id}/{whose.number}"
    return f"letter/{whose.subscription_id or whose.request_id}/{written_at:%Y-%m-%d}"


async def store(session: Session, rows: Sequence[Row]) -> list[bool]:
    """Store reports, each once, in their order; say of each whether it is new and wanted."""
    known = await _known(session, {row.whose for row in rows})
    fresh: dict[str, Row] = {}
    for each in rows:
        theirs = known[each.whose]
        if each.id not in theirs and (each.urgent or len(theirs) < MOST_OF_ONE):
            theirs.add(each.id)
            fresh[each.id] = each
    written = await _write(session, fresh)
    return [fresh.get(each.id) is each and each.id in written for each in rows]


async def _known(session: Session, asked: Set[Whose]) -> dict[Whose, set[str]]:
    """Give the ids of the reports that are there of what came back, and of what else is the same people's."""
    there: dict[Whose, set[str]] = defaultdict(set)
    if asked:
        subscriptions = {each.subscription_id for each in asked if each.subscription_id is not None}
        requests = {each.request_id for each in asked if each.request_id is not None}
        named = {"subscriptions": rounded(subscriptions), "requests": rounded(requests)}
        for report_id, *whose in (await (await session.connection()).execute(_THEIRS, named)).all():
            there[Whose(*whose)].add(report_id)
    return there


async def _write(session: Session, rows: Mapping[str, Row]) -> set[str]:
    """Write rows, by id; give the ids of those that were not there."""
    if not rows:
        return set()
    connection = await session.connection()
    values = [dict(rows[report_id].values) for report_id in sorted(rows)]
    return set((await connection.execute(_writing(connection.dialect.name), values)).scalars())


async def count(session: Session, now: datetime, way: str, counts: Mapping[str, int]) -> None:
    """Add to what came in by a way today: how often each was done with it. Of the last the hour is noted."""
    today = {"day": day_of(now), "way": way[:16], "last_at": now.replace(minute=0, second=0, microsecond=0)}
    values = [{**today, "taken": taken, "count": number} for taken, number in sorted(counts.items())]
    if values:
        connection = await session.connection()
        await connection.execute(_counting(connection.dialect.name), values)


@cache
def _writing(dialect: str) -> Any:
    return insert_of(dialect, _REPORT).on_conflict_do_nothing().returning(_REPORT.c.id)


@cache
def _counting(dialect: str) -> Any:
    statement = insert_of(dialect, _RECEIVED)
    added = {"count": _RECEIVED.c.count + statement.excluded["count"], "last_at": statement.excluded["last_at"]}
    return statement.on_conflict_do_update(index_elements=["day", "way", "taken"], set_=added)
