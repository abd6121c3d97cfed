"""Those in doubt: nobody knows whether the issue reached them, so an editor decides (promise P4, DESIGN §5).

To resend is to take the doubtful result back: a delivery without a result is one that is still to be made, by the same
blocks, leases and windows as any other. Whoever takes it back is the one whose delete finds it, so two editors at once
send nobody an issue once more than one of them alone. To let be leaves the result and every figure as they are.

Locks are taken in one order: the mailing, its doubtful results (as late evidence does), its blocks, its other results.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, literal_column, update
from sqlmodel import col, select

from newsletter.database import Session, database_seconds, rows_of
from newsletter.delivery import ledger
from newsletter.delivery.progress import begin_samples
from newsletter.delivery.rules import move
from newsletter.delivery.tables import Block, Delivery, Mailing, MailingState, Result
from newsletter.errors import Conflict, NotFound
from newsletter.mail.outcome import OutcomeKind
from newsletter.measurement.counting import leave_out_hours
from newsletter.subscribers.actions import mailable
from newsletter.subscribers.tables import Subscriber, Subscription

PAGE = 50
# How many numbers one statement names.
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Doubt:
    """Somebody who may or may not have got the issue; `id` is that of the subscription."""

    id: str
    email: str


@dataclass(frozen=True, slots=True)
class Doubts:
    """A page of those who wait for a decision; `next` is where the page after it begins, or None."""

    items: Sequence[Doubt]
    next: str | None


async def undecided(session: Session, mailing: Mailing, after: str | None = None) -> Doubts:
    """Give who is in doubt, waits for a decision, and may still be mailed.

    Pages of 50, ordered by id, which is random; `after` is the last id of the page before.
    """
    query = (
        select(Subscription.id, Subscriber.email)
        .select_from(Result)
        .join(Delivery, and_(col(Delivery.mailing_id) == Result.mailing_id, col(Delivery.number) == Result.number))
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(*_doubtful(mailing.id), mailable())
        .order_by(col(Subscription.id))
        .limit(PAGE + 1)
    )
    if after:
        query = query.where(col(Subscription.id) > after)
    rows = [Doubt(*row) for row in (await session.exec(query)).all()]
    return Doubts(rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None)


async def resend(session: Session, issue_id: str, chosen: Collection[str] | None) -> int:
    """Let the issue go once more to those of `chosen`, or to all with None, who wait for a decision; give how many.

    A mailing that was finished goes on. Raises NotFound, or Conflict where it was cancelled or a worker is just at work
    on a block of theirs; then nothing has changed.
    """
    mailing = await _locked(session, issue_id)
    state = move(mailing.state, "resend")
    which = (*_doubtful(mailing.id), _meant(chosen))
    taken = await session.execute(
        delete(Result).where(*which).returning(col(Result.number)).execution_options(synchronize_session=False)
    )
    numbers = sorted(taken.scalars().all())
    if not numbers:
        return 0
    await _put_back(session, mailing.id, numbers)
    if mailing.state == MailingState.FINISHED:
        await _reopen(session, mailing)
    mailing.state = state
    return len(numbers)


async def let_be(session: Session, issue_id: str, chosen: Collection[str] | None) -> int:
    """Send nothing more to those of `chosen`, or to all with None, who wait for a decision; give how many.

    They stay in doubt and are counted so, but nobody is asked about them again. Raises NotFound.
    """
    mailing = await _locked(session, issue_id)
    settled = await session.execute(
        update(Result)
        .where(*_doubtful(mailing.id), _meant(chosen))
        .values(let_be=True)
        .execution_options(synchronize_session=False)
    )
    return rows_of(settled)


def _doubtful(mailing_id: str) -> tuple[ColumnElement[bool], ...]:
    """Give the conditions that a result is in doubt and waits for a decision."""
    return (
        col(Result.mailing_id) == mailing_id,
        # Written out, so that the index of those in doubt is found.
        col(Result.outcome) == literal_column(f"'{OutcomeKind.IN_DOUBT}'"),
        col(Result.let_be).is_(False),
    )


def _meant(chosen: Collection[str] | None) -> ColumnElement[bool]:
    """Give the condition that a result is of somebody chosen who may still be mailed."""
    found = (
        select(Delivery.number)
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .where(Delivery.mailing_id == Result.mailing_id, Delivery.number == Result.number, mailable())
        .correlate(Result)
    )
    return (found if chosen is None else found.where(col(Delivery.subscription_id).in_(chosen))).exists()


async def _locked(session: Session, issue_id: str) -> Mailing:
    query = select(Mailing).where(Mailing.issue_id == issue_id).with_for_update()
    mailing = (await session.exec(query)).first()
    if mailing is None:
        raise NotFound("This issue has no mailing.")
    return mailing


async def _put_back(session: Session, mailing_id: str, numbers: Sequence[int]) -> None:
    """Let these deliveries, of which the doubtful result is gone, be made from the beginning, earlier tries and all."""
    for block, count in (await _blocks(session, mailing_id, numbers)).items():
        await _free(session, mailing_id, block, count)
    for start in range(0, len(numbers), _CHUNK):
        earlier = (col(Result.mailing_id) == mailing_id, col(Result.number).in_(numbers[start : start + _CHUNK]))
        await session.execute(delete(Result).where(*earlier).execution_options(synchronize_session=False))


async def _blocks(session: Session, mailing_id: str, numbers: Sequence[int]) -> Counter[int]:
    """Give how many of the deliveries lie in which block, in the order of the blocks."""
    query = select(Block.first, Block.number).where(Block.mailing_id == mailing_id).order_by(col(Block.first))
    rows = (await session.exec(query)).all()
    firsts = [first for first, _ in rows]
    return Counter(rows[bisect_right(firsts, number) - 1][1] for number in numbers)


async def _free(session: Session, mailing_id: str, number: int, count: int) -> None:
    """Let a block that nobody is at work on be gone through anew, with `count` fewer in doubt."""
    freed = await session.execute(
        update(Block)
        .where(
            col(Block.mailing_id) == mailing_id,
            col(Block.number) == number,
            col(Block.leased_until) < database_seconds(),
            # What a lost worker had marked must be settled first.
            col(Block.marked_to) == col(Block.done_to),
        )
        .values(
            in_doubt=col(Block.in_doubt) - count,
            finished=False,
            due_at=0.0,
            pass_at=await ledger.now(session),
            done_to=col(Block.first),
            marked_to=col(Block.first),
        )
        .execution_options(synchronize_session=False)
    )
    if not rows_of(freed):
        raise Conflict("A worker is just sending to others of the same block. Please try again in a moment.")


async def _reopen(session: Session, mailing: Mailing) -> None:
    """Let a mailing that had ended go on: to so few that an hour would tell of them (promise P3, RULES D5)."""
    mailing.finished_at, mailing.reopened = None, True
    await leave_out_hours(session, mailing.issue_id)
    await begin_samples(session, mailing)
