"""What follows from a report: each in a transaction of its own, and once, however often it is begun (RULES F1-F7).

A failure counts where the ledger says that the delivery was accepted, at most five days ago, and once for a delivery:
so whoever forges one, or sends it again, can do no more than its real sender could. What counts goes the way of our own
refusals (`signals.py`): the dead are mailed nothing more at once, and deleted after the hold, if the circuit breaker
lets them. Everything but dead, complaint and unsubscribe is recorded, and that is all.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import cache, partial
from itertools import groupby
from typing import Any

import structlog
from sqlalchemy import Executable, Row, bindparam, or_
from sqlalchemy import select as select_rows
from sqlmodel import SQLModel, col, select

from newsletter.agreements import suppression
from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, end_subscription, erase_person, lock_person
from newsletter.bounces import alarms, came_back, signals
from newsletter.bounces.came_back import Back
from newsletter.bounces.report_tables import Report, ReportState, Returned
from newsletter.bounces.signals import Counts, Dead, Tallies
from newsletter.bounces.verdicts import Verdict
from newsletter.bounces.watching import of_letter
from newsletter.clock import day_of
from newsletter.database import Session, insert_of
from newsletter.delivery.statements import superseded
from newsletter.delivery.tables import Result
from newsletter.installation import Installation
from newsletter.logs import where
from newsletter.mail.outcome import OutcomeKind
from newsletter.mail.tables import Letter
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import Subscriber, Subscription

_log = structlog.get_logger(__name__)
BOUNCED = "bounced"
_MOST_AT_ONCE = 500
# Whoever else writes waits for so many.
_MOST_TOGETHER = 20
# A report may be faster than the ledger, which is written a window at a time.
_LEDGER_WAIT = timedelta(hours=1)
_LOOK_AGAIN = timedelta(seconds=5)
_FAILURES = frozenset(
    {
        Verdict.DEAD,
        Verdict.DEAD_IF_REPEATED,
        Verdict.ALARM,
        Verdict.POLICY,
        Verdict.MAILBOX_FULL,
        Verdict.CONTENT,
    }
)
# The others are recorded, and that is all.
_ACTING = frozenset({Verdict.DEAD, Verdict.DEAD_IF_REPEATED, Verdict.ALARM, Verdict.COMPLAINT, Verdict.UNSUBSCRIBE})
_REPORT = SQLModel.metadata.tables["report"]
# Made once, and of few columns: it is asked twice for each report.
_THEIRS = select_rows(
    *(_REPORT.c[name] for name in ("subscription_id", "request_id", "mailing_id", "number", "sent_on")),
    *(_REPORT.c[name] for name in ("verdict", "state", "counted")),
).where(
    or_(_REPORT.c.subscription_id == bindparam("subscription"), _REPORT.c.request_id == bindparam("request")),
    _REPORT.c.id != bindparam("report"),
)


class Why(StrEnum):
    """Why nothing followed from a report: it came too late, its delivery was never accepted, or it is not the first."""

    LATE = "late"
    NOT_ACCEPTED = "not_accepted"
    SECOND = "second"


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
            return
        for report_id in group:
            await _settle_group(installation, [report_id])


async def _settle_all(installation: Installation, group: Sequence[str], session: Session) -> None:
    for report_id in group:
        await settle(session, installation, report_id)


async def settle(session: Session, installation: Installation, report_id: str) -> None:
    """Let follow what is due from one report. Doing it again does nothing."""
    found = await session.get(Report, report_id)
    person = await _lock(session, installation, found) if found is not None else None
    # Read anew behind the locks: they may have left, and their reports with them.
    report = await session.get(Report, report_id, with_for_update=True, populate_existing=True)
    if report is None or report.state != ReportState.TAKEN:
        return
    verdict = Verdict(report.verdict)
    if verdict in (Verdict.COMPLAINT, Verdict.UNSUBSCRIBE):
        await _end(session, installation, report, person)
        await _leave(session, installation, report, person, verdict)
    elif verdict in _FAILURES and report.action != "delayed":
        await _fail(session, installation, report, person, verdict)
    else:
        await _end(session, installation, report, person)


async def _lock(session: Session, installation: Installation, report: Report) -> Subscriber | None:
    """Lock the person, or the request, that a report is about, in the order of whoever deletes them."""
    if report.request_id is not None:
        await session.get(SignupRequest, report.request_id, with_for_update=True)
        return None
    subscription = await session.get(Subscription, report.subscription_id)
    if subscription is None or installation.database.on_sqlite:
        # SQLite has one writer: whoever writes holds everybody.
        return await session.get(Subscriber, subscription.subscriber_id) if subscription else None
    return await lock_person(session, subscription.subscriber_id)


async def _end(
    session: Session, installation: Installation, report: Report, person: Subscriber | None, why: Why | None = None
) -> None:
    """Let a report be over. Of its time the day stays, for with a report comes the hour of a delivery (promise P3)."""
    if why is None and not await _is_told(session, report):
        if report.mailing_id is not None:
            await _count(session, report.mailing_id, report.verdict)
        back = Back(report.mailing_id, person.canonical if person else None, Verdict(report.verdict), report.code)
        await came_back.count(session, installation, [back])
    report.state = ReportState.SETTLED if why is None else ReportState.IGNORED
    report.why, report.received_at = why, day_of(report.received_at)
    report.due_at = report.received_at
    await session.flush()


async def _leave(
    session: Session, installation: Installation, report: Report, person: Subscriber | None, verdict: Verdict
) -> None:
    """Let go who complained, at once and for good, or who asked to be left out (RULES F7, E4)."""
    origin = Origin("subject", "complaint" if verdict is Verdict.COMPLAINT else "mail")
    if person is None:
        await _forget_request(session, installation, report, complained=verdict is Verdict.COMPLAINT)
    elif verdict is Verdict.COMPLAINT:
        await erase_person(session, installation, person.id, Cause.COMPLAINED, origin)
    elif report.subscription_id is not None:
        await end_subscription(session, installation, report.subscription_id, Cause.WITHDRAWN, origin)


async def _forget_request(session: Session, installation: Installation, report: Report, *, complained: bool) -> None:
    request = await session.get(SignupRequest, report.request_id)
    if request is None or request.canonical is None:
        return
    if complained:
        await suppression.suppress(session, installation, [request.canonical], Cause.COMPLAINED)
    await session.delete(request)


async def _fail(
    session: Session, installation: Installation, report: Report, person: Subscriber | None, verdict: Verdict
) -> None:
    """Let follow what is due where a mail did not arrive."""
    accepted = await _was_accepted(session, report)
    if accepted is None and installation.clock.now() < report.received_at + _LEDGER_WAIT:
        report.due_at = installation.clock.now() + _LOOK_AGAIN
        return
    why = await _why_not(session, report, accepted=bool(accepted))
    if why is not None:
        await _end(session, installation, report, person, why)
        return
    report.counted = True
    if report.mailing_id is not None:
        await _count(session, report.mailing_id, BOUNCED)
    await _end(session, installation, report, person)
    if verdict is Verdict.ALARM:
        await _sound(session, report)
    elif verdict in (Verdict.DEAD, Verdict.DEAD_IF_REPEATED):
        await _stop_sending(session, installation, report, person, verdict)


async def _why_not(session: Session, report: Report, *, accepted: bool) -> Why | None:
    """Say why a failure does not count; None where it does (RULES F5)."""
    if report.late:
        return Why.LATE
    if not accepted:
        return Why.NOT_ACCEPTED
    return Why.SECOND if await _is_counted(session, report) else None


async def _sound(session: Session, report: Report) -> None:
    _log.warning("alarm", mailing=report.mailing_id, code=report.code)
    if report.mailing_id is not None:
        await alarms.note(session, report.mailing_id, report.code or "", 1)


async def _stop_sending(
    session: Session, installation: Installation, report: Report, person: Subscriber | None, verdict: Verdict
) -> None:
    code = report.code or ""
    if person is None and verdict is Verdict.DEAD:
        person = await of_letter(session, None, report.request_id)
    if person is None:
        return
    if verdict is Verdict.DEAD_IF_REPEATED and not await signals.is_second(session, installation, person.id, code):
        return
    mailing_id, sent_on = report.mailing_id, report.sent_on
    await signals.raise_signal(session, installation, Dead(mailing_id, person.id, person.email, code, sent_on))
    tallies = Tallies(installation.keys)
    tallies.add(person.email, mailing_id, Counts(bounced=1))
    await tallies.write(session, installation.clock.now())


async def _was_accepted(session: Session, report: Report) -> bool | None:
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


async def _is_counted(session: Session, report: Report) -> bool:
    return any(other.counted for other in await _others(session, report))


async def _is_told(session: Session, report: Report) -> bool:
    told = (report.verdict, ReportState.SETTLED)
    return any((other.verdict, other.state) == told for other in await _others(session, report))


async def _count(session: Session, mailing_id: str, what: str) -> None:
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
