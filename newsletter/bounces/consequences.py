"""What follows from a report: each in a transaction of its own, and once, however often it is begun (RULES F1-F7).

A failure counts where the ledger says that the delivery was accepted, at most five days ago, and once for a delivery:
so whoever forges one, or sends it again, can do no more than its real sender could. What counts goes the way of our own
refusals (`signals.py`): the dead are mailed nothing more at once, and deleted after the hold, if the circuit breaker
lets them. Everything but dead, complaint and unsubscribe is recorded, and that is all.
"""

from datetime import timedelta
from enum import StrEnum

from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, end_subscription, erase_person, lock_person
from newsletter.agreements.traces import suppression
from newsletter.bounces import came_back, signals
from newsletter.bounces.alarms import actions as alarms
from newsletter.bounces.alarms.watching import of_letter
from newsletter.bounces.came_back import Back
from newsletter.bounces.reading.verdicts import Verdict
from newsletter.bounces.reports import history
from newsletter.bounces.reports.tables import Report, ReportState
from newsletter.bounces.signals import Counts, Dead, Tallies
from newsletter.clock import day_of
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.logs import get_logger
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import Subscriber, Subscription

_log = get_logger(__name__)
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


class Why(StrEnum):
    """Why nothing followed from a report: it came too late, its delivery was never accepted, or it is not the first."""

    LATE = "late"
    NOT_ACCEPTED = "not_accepted"
    SECOND = "second"


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
    if why is None and not await history.is_told(session, report):
        if report.mailing_id is not None:
            await history.count(session, report.mailing_id, report.verdict)
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
    accepted = await history.was_accepted(session, report)
    if accepted is None and installation.clock.now() < report.received_at + _LEDGER_WAIT:
        report.due_at = installation.clock.now() + _LOOK_AGAIN
        return
    why = await _why_not(session, report, accepted=bool(accepted))
    if why is not None:
        await _end(session, installation, report, person, why)
        return
    report.counted = True
    if report.mailing_id is not None:
        await history.count(session, report.mailing_id, history.BOUNCED)
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
    return Why.SECOND if await history.is_counted(session, report) else None


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
