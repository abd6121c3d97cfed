"""What is known of a mail that came back: was it accepted, what do other reports say of it; and how many came back."""

from functools import cache
from typing import Any

from sqlalchemy import Executable, Row, bindparam, or_
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from newsletter.bounces.reports.tables import Report, ReportState, Returned
from newsletter.database import Session, insert_of, table_of
from newsletter.delivery.statements import superseded
from newsletter.delivery.tables import Result
from newsletter.mail.outcome import OutcomeKind
from newsletter.mail.tables import Letter

BOUNCED = "bounced"
_REPORT = table_of(Report)
# Made once, and of few columns: it is asked twice for each report.
_THEIRS = select_rows(
    *(_REPORT.c[name] for name in ("subscription_id", "request_id", "mailing_id", "number", "sent_on")),
    *(_REPORT.c[name] for name in ("verdict", "state", "counted")),
).where(
    or_(_REPORT.c.subscription_id == bindparam("subscription"), _REPORT.c.request_id == bindparam("request")),
    _REPORT.c.id != bindparam("report"),
)


async def was_accepted(session: Session, report: Report) -> bool | None:
    """Say whether the relay took the mail; None where the ledger does not know yet."""
    if report.mailing_id is None:
        waits = select(Letter.id).where(col(Letter.request_id) == report.request_id)
        return report.request_id is None or (await session.exec(waits)).first() is None
    query = select(Result.outcome).where(
        Result.mailing_id == report.mailing_id, Result.number == report.number, ~superseded()
    )
    outcome = (await session.exec(query)).first()
    if outcome is None or outcome == OutcomeKind.DEFERRED:
        return None
    return outcome == OutcomeKind.DELIVERED


async def _others(session: Session, report: Report) -> list[Row[Any]]:
    """Give the other reports of the same delivery, or of the same day's letters about the same."""
    named = {"subscription": report.subscription_id, "request": report.request_id, "report": report.id}
    found = await (await session.connection()).execute(_THEIRS, named)
    return [other for other in found.all() if _what_of(other) == _what_of(report)]


def _what_of(report: Report | Row[Any]) -> tuple[object, ...]:
    day = report.sent_on if report.mailing_id is None else None
    return report.subscription_id, report.request_id, report.mailing_id, report.number, day


async def is_counted(session: Session, report: Report) -> bool:
    """Say whether another report has said already that this mail did not arrive."""
    return any(other.counted for other in await _others(session, report))


async def is_told(session: Session, report: Report) -> bool:
    """Say whether another report has said the same of this mail."""
    told = (report.verdict, ReportState.SETTLED)
    return any((other.verdict, other.state) == told for other in await _others(session, report))


async def count(session: Session, mailing_id: str, what: str) -> None:
    """Count that one more delivery of a mailing came back so."""
    connection = await session.connection()
    await connection.execute(_counting(connection.dialect.name), {"mailing_id": mailing_id, "what": what, "count": 1})


@cache
def _counting(dialect: str) -> Executable:
    statement = insert_of(dialect, Returned)
    added = {"count": Returned.count + statement.excluded.count}
    counting: Executable = statement.on_conflict_do_update(index_elements=["mailing_id", "what"], set_=added)
    return counting


async def returned(session: Session, mailing_id: str) -> dict[str, int]:
    """Give how many deliveries of a mailing came back: by verdict, and under `BOUNCED` how many did not arrive."""
    query = select(Returned.what, Returned.count).where(Returned.mailing_id == mailing_id)
    return dict((await session.exec(query)).all())
