"""The verbs of the ledger: lease a block, mark a window, record results (DESIGN §5).

Every function is one step of a transaction of its caller. Plain statements, not objects: this is the busy path.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, insert, select, update
from sqlmodel import col

from newsletter.database import Session, database_seconds
from newsletter.delivery.rules import LEASE_SECONDS
from newsletter.delivery.tables import Block, Delivery, Mailing, MailingState, Result
from newsletter.mail.smtp import Outcome, OutcomeKind, Stage
from newsletter.subscribers.actions import mailable
from newsletter.subscribers.tables import Subscriber, Subscription
from newsletter.tokens import new_id

COUNTERS = ("delivered", "refused", "deferred", "in_doubt", "withdrawn")


@dataclass(frozen=True, slots=True)
class Recipient:
    """One delivery of the ledger with what is needed to write to its subscriber; `tries` were made already."""

    number: int
    subscription_id: str
    subscriber_id: str
    email: str
    given_name: str | None
    family_name: str | None
    title: str | None
    employer: str | None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """An outcome for the ledger: whose, which attempt, and when to try again where that is due."""

    recipient: Recipient
    attempt: int
    outcome: Outcome
    retry_at: float | None = None

    @property
    def kind(self) -> OutcomeKind:
        """Give the outcome as the ledger knows it: deferred as long as there will be another try, then refused."""
        if self.outcome.kind in (OutcomeKind.DEFERRED, OutcomeKind.NOT_ATTEMPTED):
            return OutcomeKind.REFUSED if self.retry_at is None else OutcomeKind.DEFERRED
        return self.outcome.kind


async def now(session: Session) -> float:
    """Give the database's own time, in seconds since 1970."""
    return float((await session.execute(select(database_seconds()))).scalar_one())


async def lease(session: Session, mailing_id: str, owner: str) -> Block | None:
    """Take a block that is due and that nobody holds. What an earlier holder left unknown becomes in doubt."""
    query = (
        select(Block)
        .join(Mailing, col(Mailing.id) == col(Block.mailing_id))
        .where(
            col(Block.mailing_id) == mailing_id,
            col(Mailing.state) == MailingState.SENDING,
            col(Block.finished).is_(False),
            col(Block.due_at) <= database_seconds(),
            col(Block.leased_until) < database_seconds(),
        )
        .order_by(col(Block.due_at), col(Block.number))
        .limit(1)
        .with_for_update(skip_locked=True, of=Block)
    )
    block: Block | None = (await session.execute(query)).scalar_one_or_none()
    if block is None:
        return None
    seconds = await now(session)
    if block.marked_to > block.done_to:
        await put_in_doubt(session, block)
    elif block.done_to == block.first:
        block.pass_at = seconds
    block.owner, block.lease, block.leased_until = owner, new_id(), seconds + LEASE_SECONDS
    await session.flush()
    return block


async def put_in_doubt(session: Session, block: Block) -> None:
    """Record as in doubt whoever was in the window that a lost worker had marked."""
    lost = await window(session, block, block.marked_to - block.done_to, block.marked_to)
    rows = [
        {
            "mailing_id": block.mailing_id,
            "number": recipient.number,
            "attempt": block.pass_number,
            "outcome": OutcomeKind.IN_DOUBT,
            "stage": None,
            "code": None,
            "enhanced": None,
            "retry_at": None,
        }
        for recipient in lost
    ]
    if rows:
        await session.execute(insert(Result), rows)
    block.in_doubt += len(rows)
    if block.pass_number > 1:
        block.deferred -= len(rows)
    block.done_to = block.marked_to


async def window(session: Session, block: Block, size: int, before: int | None = None) -> list[Recipient]:
    """Give the next recipients of this pass over the block, at most `size`, each of whom may be mailed at this
    moment.
    """
    mine = and_(col(Result.mailing_id) == col(Delivery.mailing_id), col(Result.number) == col(Delivery.number))
    if block.pass_number == 1:
        due = ~exists().where(mine)
    else:
        due = exists().where(
            mine,
            col(Result.attempt) < block.pass_number,
            col(Result.outcome) == OutcomeKind.DEFERRED,
            col(Result.retry_at) <= block.pass_at,
            ~_superseded(),
        )
    tries = select(func.count()).where(mine, col(Result.stage).in_((Stage.RCPT, Stage.DATA))).scalar_subquery()
    upper = col(Delivery.number) <= block.last if before is None else col(Delivery.number) < before
    query = (
        select(
            col(Delivery.number),
            col(Subscription.id),
            col(Subscriber.id),
            col(Subscriber.email),
            col(Subscriber.given_name),
            col(Subscriber.family_name),
            col(Subscriber.title),
            col(Subscriber.employer),
            tries,
        )
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(
            col(Delivery.mailing_id) == block.mailing_id, col(Delivery.number) >= block.done_to, upper, due, mailable()
        )
        .order_by(col(Delivery.number))
        .limit(size)
    )
    return [Recipient(*row) for row in (await session.execute(query)).all()]


def _superseded() -> ColumnElement[bool]:
    """Give the condition that a later attempt followed the result."""
    later = Result.__table__.alias()  # type: ignore[attr-defined]
    return exists().where(
        later.c.mailing_id == col(Result.mailing_id),
        later.c.number == col(Result.number),
        later.c.attempt > col(Result.attempt),
    )


async def hold(session: Session, block: Block, **changes: object) -> bool:
    """Change the block and renew its lease, if it is still ours; say whether it was.

    `block` gets the counters as they stand: late evidence may have moved them since they were read.
    """
    holding = and_(
        col(Block.mailing_id) == block.mailing_id, col(Block.number) == block.number, col(Block.lease) == block.lease
    )
    renewed = await session.execute(
        update(Block)
        .where(holding)
        .values(**{"leased_until": database_seconds() + LEASE_SECONDS, **changes})
        .returning(*(col(getattr(Block, name)) for name in COUNTERS))
        .execution_options(synchronize_session=False)
    )
    counters = renewed.first()
    if counters is None:
        return False
    for name, count in zip(COUNTERS, counters, strict=True):
        setattr(block, name, count)
    return True


async def append(session: Session, mailing_id: str, recorded: Sequence[Recorded]) -> None:
    """Append results to the ledger."""
    rows = [
        {
            "mailing_id": mailing_id,
            "number": item.recipient.number,
            "attempt": item.attempt,
            "outcome": item.kind,
            "stage": item.outcome.stage,
            "code": item.outcome.code,
            "enhanced": item.outcome.enhanced,
            "retry_at": item.retry_at,
        }
        for item in recorded
    ]
    if rows:
        await session.execute(insert(Result), rows)


async def append_late(session: Session, block: Block, recorded: Sequence[Recorded]) -> None:
    """Record what became known after the block was taken from us: it may only settle what is in doubt."""
    settled = {OutcomeKind.DELIVERED: 0, OutcomeKind.REFUSED: 0}
    for item in recorded:
        if item.kind not in settled:
            continue
        changed = await session.execute(
            update(Result)
            .where(
                col(Result.mailing_id) == block.mailing_id,
                col(Result.number) == item.recipient.number,
                col(Result.attempt) == item.attempt,
                col(Result.outcome) == OutcomeKind.IN_DOUBT,
            )
            .values(outcome=item.kind, stage=item.outcome.stage, code=item.outcome.code, enhanced=item.outcome.enhanced)
        )
        settled[item.kind] += changed.rowcount  # type: ignore[attr-defined]
    total = sum(settled.values())
    if total:
        await session.execute(
            update(Block)
            .where(col(Block.mailing_id) == block.mailing_id, col(Block.number) == block.number)
            .values(
                in_doubt=col(Block.in_doubt) - total,
                delivered=col(Block.delivered) + settled[OutcomeKind.DELIVERED],
                refused=col(Block.refused) + settled[OutcomeKind.REFUSED],
            )
            .execution_options(synchronize_session=False)
        )


async def next_retry(session: Session, block: Block) -> float | None:
    """Give when the block's next deferred delivery is due, or None where none is left.

    Whoever left meanwhile, or may no longer be mailed, waits for nothing.
    """
    query = (
        select(func.min(col(Result.retry_at)))
        .join(
            Delivery,
            and_(col(Delivery.mailing_id) == col(Result.mailing_id), col(Delivery.number) == col(Result.number)),
        )
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .where(
            col(Result.mailing_id) == block.mailing_id,
            col(Result.number).between(block.first, block.last),
            col(Result.outcome) == OutcomeKind.DEFERRED,
            ~_superseded(),
            mailable(),
        )
    )
    earliest = (await session.execute(query)).scalar_one()
    return None if earliest is None else float(earliest)


async def release_of(session: Session, owner: str) -> None:
    """Let go of every lease of a worker that is known to be dead: its successor of the same name calls this."""
    await session.execute(update(Block).where(col(Block.owner) == owner).values(leased_until=0.0))
