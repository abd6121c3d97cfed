"""Starting a mailing, steering it, and ending it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from newsletter.clock import Clock, day_of
from newsletter.database import Session, database_seconds
from newsletter.delivery import audience
from newsletter.delivery.lane import leftovers
from newsletter.delivery.progress import Progress, begin_samples, forget_pace, progress, sample
from newsletter.delivery.rules import move
from newsletter.delivery.tables import Block, Mailing, MailingState, Result
from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.installation import Installation
from newsletter.issues import actions as issues
from newsletter.issues.limits import InvalidIssue
from newsletter.issues.tables import Issue
from newsletter.loops import AT_ONCE, Due
from newsletter.mail.outcome import OutcomeKind
from newsletter.measurement.counting import begin_hours, forget_marks, lose_order, prepare
from newsletter.measurement.tables import MeasurementKey
from newsletter.tokens import new_id

UNDO_SECONDS = 10
MARKS_LIFE = timedelta(days=30)
# Beyond that it is more likely a slip of the pen than a plan.
LONGEST_WAIT = timedelta(days=366)
MOST_REFUSALS = 50


@dataclass(frozen=True, slots=True)
class Refusal:
    """How many were refused at the same stage with the same codes and words."""

    stage: str | None
    code: int | None
    enhanced: str | None
    reply: str | None
    count: int


async def schedule(
    session: Session, installation: Installation, issue_id: str, *, undo: bool, starts_at: datetime | None = None
) -> Mailing:
    """Let an issue be mailed: at `starts_at`, or at once, or with `undo` after the seconds in which it can still be
    taken back.

    Raises InvalidInput where `starts_at` is no time to come, Conflict where it was mailed already, InvalidIssue where
    it can't be sent as it is.
    """
    now = installation.clock.now()
    if starts_at is not None:
        _check_start(starts_at, now)
    issue, newsletter = await issues.by_id(session, issue_id, lock=True)
    if (earlier := await of_issue(session, issue_id)) is not None:
        if is_fixed(earlier):
            raise Conflict("This issue has been mailed already; write a new one.")
        await session.delete(earlier)
        await session.flush()
    content = issues.compiled(installation, newsletter, issue.subject, issue.body)
    await issues.fix_links(session, issue.id, content.links)
    mailing = Mailing(
        id=new_id(),
        issue_id=issue.id,
        newsletter_id=newsletter.id,
        state=MailingState.SCHEDULED,
        created_at=now,
        starts_at=starts_at or (now + timedelta(seconds=UNDO_SECONDS) if undo else now),
    )
    session.add(mailing)
    await session.flush()
    return mailing


def _check_start(starts_at: datetime, now: datetime) -> None:
    if starts_at <= now:
        wrong = "This time has passed; choose one to come, or send it now."
    elif starts_at > now + LONGEST_WAIT:
        wrong = "This is more than a year ahead; please check the year."
    else:
        return
    raise InvalidInput(wrong, {"starts_at": wrong})


def is_fixed(mailing: Mailing | None) -> bool:
    """Say whether the issue can't be changed any more: its mailing was not taken back before it began."""
    return mailing is not None and not (mailing.state == MailingState.CANCELLED and mailing.started_at is None)


def is_ahead(mailing: Mailing) -> bool:
    """Say whether a mailing has yet to begin, so that its planned time still tells something."""
    return mailing.started_at is None and mailing.state in (MailingState.SCHEDULED, MailingState.PAUSED)


async def of_issue(session: Session, issue_id: str, *, lock: bool = False) -> Mailing | None:
    """Give the mailing of an issue, if it has one."""
    query = select(Mailing).where(Mailing.issue_id == issue_id)
    return (await session.exec(query.with_for_update() if lock else query)).first()


async def steer(session: Session, clock: Clock, issue_id: str, verb: str) -> Mailing:
    """Pause, resume or cancel the mailing of an issue. Raises NotFound, or Conflict where it is too late for that.

    A mailing that had not begun when it was paused begins at its planned time, or when it is resumed where that has
    passed. A cancelled one that had not begun leaves its issue a draft again.
    """
    mailing = await of_issue(session, issue_id, lock=True)
    if mailing is None:
        raise NotFound("This issue has no mailing.")
    mailing.state = move(mailing.state, verb)
    if mailing.state != MailingState.SENDING:
        forget_pace(mailing)
    elif mailing.started_at is None:
        mailing.state, mailing.starts_at = MailingState.SCHEDULED, max(mailing.starts_at, clock.now())
    else:
        await begin_samples(session, mailing)
    session.add(mailing)
    if verb == "cancel":
        await _end(session, clock, mailing)
        await leftovers.forget_times(session, mailing.id)
    return mailing


def when_due() -> tuple[Due, ...]:
    """Give when the next mailing begins; and one that is being sent is always to be looked after."""
    return (
        select(func.min(Mailing.starts_at)).where(Mailing.state == MailingState.SCHEDULED),
        select_columns(AT_ONCE).select_from(Mailing).where(col(Mailing.state) == MailingState.SENDING).limit(1),
    )


async def start_due(session: Session, clock: Clock) -> None:
    """Begin the mailings whose time has come: their audience is frozen now."""
    query = select(Mailing).where(Mailing.state == MailingState.SCHEDULED, Mailing.starts_at <= clock.now())
    for mailing in (await session.exec(query.with_for_update(skip_locked=True))).all():
        mailing.audience = await audience.freeze(session, mailing)
        mailing.state = move(mailing.state, "start")
        mailing.started_at = clock.now()
        await begin_samples(session, mailing)
        await prepare(session, mailing.issue_id)


async def finish_done(session: Session, clock: Clock) -> None:
    """Finish the mailings of which nothing is left to send, no retry either; note how far the others are."""
    open_block = exists().where(col(Block.mailing_id) == col(Mailing.id), col(Block.finished).is_(False))
    sending = select(Mailing).where(Mailing.state == MailingState.SENDING).order_by(col(Mailing.issue_id))
    for mailing in (await session.exec(sending.where(~open_block).with_for_update(skip_locked=True))).all():
        mailing.state = move(mailing.state, "finish")
        await _end(session, clock, mailing)
    await sample(session)


async def _end(session: Session, clock: Clock, mailing: Mailing) -> None:
    """Let hours be counted, and keep of the mailing's own times the day alone (promise P3).

    The second time a mailing ends, hours stay left out: what was sent again went to few, and they would tell of them.
    """
    forget_pace(mailing)
    mailing.created_at, mailing.starts_at = day_of(mailing.created_at), day_of(mailing.starts_at)
    mailing.started_at = day_of(mailing.started_at) if mailing.started_at else None
    mailing.finished_at = day_of(clock.now())
    if mailing.reopened or not await begin_hours(session, clock, mailing.issue_id):
        await lose_order(session, mailing.issue_id)


async def old_marks(session: Session, clock: Clock) -> Sequence[str]:
    """Give the issues whose marks are to be destroyed: 30 days after the mailing, counted from the day's beginning."""
    over = select(Mailing.issue_id).where(col(Mailing.finished_at) < clock.now() - MARKS_LIFE)
    keyed = over.where(exists().where(col(MeasurementKey.issue_id) == col(Mailing.issue_id)))
    return (await session.exec(keyed)).all()


async def forget_old_marks(session: Session, clock: Clock) -> int:
    """Destroy the marks of the mailings that ended 30 days ago (DESIGN §6); give of how many."""
    over = await old_marks(session, clock)
    for issue_id in over:
        await forget_marks(session, issue_id)
    return len(over)


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


async def refusals(session: Session, mailing: Mailing) -> Sequence[Refusal]:
    """Give how many were refused at which stage, with which codes and words: the 50 most frequent answers."""
    answer = (col(Result.stage), col(Result.code), col(Result.enhanced), col(Result.reply))
    query = (
        select_columns(*answer, func.count())
        .where(col(Result.mailing_id) == mailing.id, col(Result.outcome) == OutcomeKind.REFUSED)
        .group_by(*answer)
        .order_by(func.count().desc(), *answer)
        .limit(MOST_REFUSALS)
    )
    return [Refusal(*row) for row in (await session.execute(query)).all()]


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
