"""Starting a mailing, steering it, and telling how it goes. Everything is read from the ledger."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import exists, func
from sqlmodel import col, select

from newsletter.clock import Clock, day_of
from newsletter.database import Session, database_seconds
from newsletter.delivery import audience, leftovers
from newsletter.delivery.rules import move
from newsletter.delivery.tables import Block, Delivery, Mailing, MailingState, Result
from newsletter.errors import Conflict, NotFound
from newsletter.installation import Installation
from newsletter.issues import actions as issues
from newsletter.issues.rendering import InvalidIssue
from newsletter.issues.tables import Issue
from newsletter.mail.smtp import OutcomeKind
from newsletter.measurement.counting import begin_hours, forget_marks, lose_order, prepare
from newsletter.measurement.tables import MeasurementKey
from newsletter.subscribers.tables import Subscriber, Subscription
from newsletter.tokens import new_id

UNDO_SECONDS = 10
MARKS_LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a mailing stands; the counts add up to its audience."""

    state: str
    audience: int
    queued: int
    delivered: int
    deferred: int
    refused: int
    in_doubt: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """How many were refused with the same code."""

    code: int | None
    enhanced: str | None
    count: int


async def schedule(session: Session, installation: Installation, issue_id: str, *, undo: bool) -> Mailing:
    """Let an issue be mailed: at once, or with `undo` after the seconds in which it can still be taken back.

    Raises Conflict where it was mailed already, InvalidIssue where it can't be sent as it is.
    """
    issue, newsletter = await issues.by_id(session, issue_id, lock=True)
    if (earlier := await of_issue(session, issue_id)) is not None:
        if is_fixed(earlier):
            raise Conflict("This issue has been mailed already; write a new one.")
        await session.delete(earlier)
        await session.flush()
    content = issues.compiled(installation, newsletter, issue.subject, issue.body)
    await issues.fix_links(session, issue.id, content.links)
    now = installation.clock.now()
    mailing = Mailing(
        id=new_id(),
        issue_id=issue.id,
        newsletter_id=newsletter.id,
        state=MailingState.SCHEDULED,
        created_at=now,
        starts_at=now + timedelta(seconds=UNDO_SECONDS) if undo else now,
    )
    session.add(mailing)
    await session.flush()
    return mailing


def is_fixed(mailing: Mailing | None) -> bool:
    """Say whether the issue can't be changed any more: its mailing was not taken back before it began."""
    return mailing is not None and not (mailing.state == MailingState.CANCELLED and mailing.started_at is None)


async def of_issue(session: Session, issue_id: str, *, lock: bool = False) -> Mailing | None:
    """Give the mailing of an issue, if it has one."""
    query = select(Mailing).where(Mailing.issue_id == issue_id)
    return (await session.exec(query.with_for_update() if lock else query)).first()


async def steer(session: Session, clock: Clock, issue_id: str, verb: str) -> Mailing:
    """Pause, resume or cancel the mailing of an issue. Raises NotFound, or Conflict where it is too late for that.

    A mailing that had not begun when it was paused begins when it is resumed. A cancelled one that had not begun leaves
    its issue a draft again.
    """
    mailing = await of_issue(session, issue_id, lock=True)
    if mailing is None:
        raise NotFound("This issue has no mailing.")
    mailing.state = move(mailing.state, verb)
    if verb == "resume" and mailing.started_at is None:
        mailing.state, mailing.starts_at = MailingState.SCHEDULED, clock.now()
    session.add(mailing)
    if verb == "cancel":
        await _end(session, clock, mailing)
        await leftovers.forget_times(session, mailing.id)
    return mailing


async def start_due(session: Session, clock: Clock) -> None:
    """Begin the mailings whose time has come: their audience is frozen now."""
    query = select(Mailing).where(Mailing.state == MailingState.SCHEDULED, Mailing.starts_at <= clock.now())
    for mailing in (await session.exec(query.with_for_update(skip_locked=True))).all():
        mailing.audience = await audience.freeze(session, mailing)
        mailing.state = move(mailing.state, "start")
        mailing.started_at = clock.now()
        await prepare(session, mailing.issue_id)


async def finish_done(session: Session, clock: Clock) -> None:
    """Finish the mailings of which nothing is left to send, no retry either."""
    open_block = exists().where(col(Block.mailing_id) == col(Mailing.id), col(Block.finished).is_(False))
    sending = select(Mailing).where(Mailing.state == MailingState.SENDING).order_by(col(Mailing.issue_id))
    for mailing in (await session.exec(sending.where(~open_block).with_for_update(skip_locked=True))).all():
        mailing.state = move(mailing.state, "finish")
        await _end(session, clock, mailing)


async def _end(session: Session, clock: Clock, mailing: Mailing) -> None:
    """Let hours be counted, and keep of the mailing's own times the day alone (promise P3)."""
    mailing.created_at, mailing.starts_at = day_of(mailing.created_at), day_of(mailing.starts_at)
    mailing.started_at = day_of(mailing.started_at) if mailing.started_at else None
    mailing.finished_at = day_of(clock.now())
    if not await begin_hours(session, clock, mailing.issue_id):
        await lose_order(session, mailing.issue_id)


async def forget_old_marks(session: Session, clock: Clock) -> None:
    """Destroy the marks of the mailings that ended 30 days ago, counted from the day's beginning (DESIGN §6)."""
    over = select(Mailing.issue_id).where(col(Mailing.finished_at) < clock.now() - MARKS_LIFE)
    keyed = over.where(exists().where(col(MeasurementKey.issue_id) == col(Mailing.issue_id)))
    for issue_id in (await session.exec(keyed)).all():
        await forget_marks(session, issue_id)


async def with_work(session: Session) -> list[str]:
    """Give the mailings that have a block which is due and which nobody holds."""
    query = (
        select(Mailing.id)
        .join(Block, col(Block.mailing_id) == col(Mailing.id))
        .where(
            Mailing.state == MailingState.SENDING,
            col(Block.finished).is_(False),
            col(Block.due_at) <= database_seconds(),
            col(Block.leased_until) < database_seconds(),
        )
        .distinct()
    )
    return list((await session.exec(query)).all())


async def progress(session: Session, mailing: Mailing) -> Progress:
    """Count how the mailing stands."""
    names = ("delivered", "deferred", "refused", "in_doubt", "withdrawn")
    sums = [func.coalesce(func.sum(col(getattr(Block, name))), 0) for name in names]
    row = (await session.exec(select(*sums).where(Block.mailing_id == mailing.id))).one()
    counts = dict(zip(names, map(int, row), strict=True))
    queued = mailing.audience - sum(counts.values())
    if mailing.state == MailingState.CANCELLED:
        counts["withdrawn"] += queued + counts["deferred"]
        queued = counts["deferred"] = 0
    return Progress(state=mailing.state, audience=mailing.audience, queued=queued, **counts)


async def in_doubt(session: Session, mailing: Mailing) -> list[str]:
    """Give the addresses for which nobody knows whether they got the issue (promise P4); whoever has left is not among
    them.
    """
    query = (
        select(Subscriber.email)
        .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
        .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
        .join(
            Result, (col(Result.mailing_id) == col(Delivery.mailing_id)) & (col(Result.number) == col(Delivery.number))
        )
        .where(Delivery.mailing_id == mailing.id, Result.outcome == OutcomeKind.IN_DOUBT)
        .order_by(col(Delivery.number))
    )
    return list((await session.exec(query)).all())


async def refusals(session: Session, mailing: Mailing) -> Sequence[Refusal]:
    """Give with which codes how many were refused."""
    query = (
        select(Result.code, Result.enhanced, func.count())
        .where(Result.mailing_id == mailing.id, Result.outcome == OutcomeKind.REFUSED)
        .group_by(col(Result.code), col(Result.enhanced))
        .order_by(func.count().desc())
    )
    return [Refusal(*row) for row in (await session.exec(query)).all()]


async def problems(session: Session, installation: Installation, issue_id: str) -> tuple[str, ...]:
    """Give what stands in the way of sending an issue, in sentences for its editor."""
    issue, newsletter = await issues.by_id(session, issue_id)
    try:
        issues.compiled(installation, newsletter, issue.subject, issue.body)
    except InvalidIssue as error:
        return error.problems
    return ()


async def states(session: Session, found: Sequence[Issue]) -> dict[str, Progress]:
    """Give how the mailings of these issues stand; an issue without one is a draft."""
    query = select(Mailing).where(col(Mailing.issue_id).in_([issue.id for issue in found]))
    return {mailing.issue_id: await progress(session, mailing) for mailing in (await session.exec(query)).all()}


def as_json(standing: Progress) -> dict[str, str | int]:
    """Give the progress under the names of the API."""
    return asdict(standing)
