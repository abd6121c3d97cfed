"""The verbs of the ledger: lease a block, mark a window, record results (DESIGN §5).

Every function is one step of a transaction of its caller. Plain statements, not objects: this is the busy path.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import and_, func, select, update
from sqlmodel import col

from newsletter.database import Session, rows_of
from newsletter.delivery import statements
from newsletter.delivery.rules import LEASE_SECONDS
from newsletter.delivery.statements import COUNTERS
from newsletter.delivery.tables import Block, Delivery, Mailing, MailingState, Result
from newsletter.mail.outcome import Outcome, OutcomeKind
from newsletter.subscribers.actions import mailable
from newsletter.subscribers.tables import Subscriber, Subscription
from newsletter.tokens import new_id


class Recipient(NamedTuple):
    """One delivery of the ledger with what is needed to write to its subscriber; `tries` were made already."""

    number: int
    subscription_id: str
    subscriber_id: str
    email: str
    given_name: str | None
    family_name: str | None
    title: str | None
    employer: str | None
    measurement: str
    tries: int = 0


class Recorded(NamedTuple):
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
    return float((await statements.execute(session, statements.NOW, {})).scalar_one())


class Standing(NamedTuple):
    """How a mailing stands: its state, what troubles it, and the database's own time."""

    state: str
    trouble: str | None
    now: float


async def standing(session: Session, mailing_id: str) -> Standing | None:
    """Give how a mailing stands; None where it is gone."""
    row = (await statements.execute(session, statements.STATE, {"mailing_id": mailing_id})).first()
    return Standing._make(row) if row else None


async def free(session: Session, mailing_id: str) -> Block | None:
    """Give a block that is due and that nobody holds, locked; None where there is none.

    What an earlier holder left unknown lies between `done_to` and `marked_to`, under the lease that it still names: see
    `recovery.settle`.
    """
    found = await session.execute(statements.FREE, {"mailing_id": mailing_id})
    block: Block | None = found.scalar_one_or_none()
    return block


async def take(session: Session, block: Block, owner: str) -> None:
    """Lease a free block to `owner`, under a new lease."""
    seconds = await now(session)
    if block.done_to == block.first:
        block.pass_at = seconds
    block.owner, block.lease, block.leased_until = owner, new_id(), seconds + LEASE_SECONDS
    await session.flush()


async def window(session: Session, block: Block, size: int, before: int | None = None) -> list[Recipient]:
    """Give the next recipients of this pass over the block, at most `size`, each of whom may be mailed at this
    moment: those without a result, and those whose deferred one is due.
    """
    first_pass = block.pass_number == 1
    values = {
        "mailing_id": block.mailing_id,
        "first": block.done_to,
        "last": block.last if before is None else before - 1,
        "size": size,
    }
    if not first_pass:
        values |= {"pass_number": block.pass_number, "pass_at": block.pass_at}
    found = await statements.execute(session, statements.window(first_pass=first_pass), values)
    return [Recipient._make(row) for row in found.all()]


async def still_mailable(session: Session, block: Block, numbers: Collection[int]) -> set[int]:
    """Give those of the deliveries that may be mailed at this moment; nobody where the mailing does not go on, or the
    block is not ours any more (RULES E3).
    """
    query = (
        select(col(Delivery.number))
        .join(Mailing, col(Mailing.id) == col(Delivery.mailing_id))
        .join(Block, and_(col(Block.mailing_id) == col(Mailing.id), col(Block.number) == block.number))
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(
            col(Delivery.mailing_id) == block.mailing_id,
            col(Delivery.number).between(min(numbers), max(numbers)),
            col(Mailing.state) == MailingState.SENDING,
            col(Block.lease) == block.lease,
            mailable(joined=True),
        )
    )
    return set((await session.execute(query)).scalars()).intersection(numbers)


async def hold(session: Session, block: Block, **changes: object) -> bool:
    """Change the block and renew its lease, if it is still ours; say whether it was.

    `block` gets the counters as they stand: late evidence may have moved them since they were read.
    """
    held = {"of_mailing": block.mailing_id, "of_number": block.number, "under_lease": block.lease}
    values = held | {f"new_{name}": value for name, value in changes.items()}
    counters = (await statements.execute(session, statements.hold(tuple(changes)), values)).first()
    if counters is None:
        return False
    for name, count in zip(COUNTERS, counters, strict=True):
        setattr(block, name, count)
    return True


async def append(session: Session, mailing_id: str, recorded: Sequence[Recorded]) -> None:
    """Append results to the ledger."""
    rows = [
        (
            mailing_id,
            recipient.number,
            attempt,
            item.kind.value,
            outcome.stage.value,
            outcome.code,
            outcome.enhanced,
            outcome.reply or None,
            retry_at,
            False,
        )
        for item in recorded
        for recipient, attempt, outcome, retry_at in (item,)
    ]
    if rows:
        await statements.append(session, rows)


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
            .values(
                outcome=item.kind,
                stage=item.outcome.stage,
                code=item.outcome.code,
                enhanced=item.outcome.enhanced,
                reply=item.outcome.reply or None,
                let_be=False,
            )
        )
        settled[item.kind] += rows_of(changed)
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


async def next_due(session: Session, block: Block, soon: float) -> float | None:
    """Give when the block is to be gone through again: at the next retry, or `soon` where somebody has no result yet;
    None where nobody is left. Whoever left meanwhile, or may no longer be mailed, waits for nothing.
    """
    if block.delivered + block.refused + block.in_doubt + block.withdrawn == block.last - block.first + 1:
        return None
    mine = and_(col(Result.mailing_id) == col(Delivery.mailing_id), col(Result.number) == col(Delivery.number))
    everybody = (
        select(col(Delivery.number))
        .select_from(Delivery)
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .where(
            col(Delivery.mailing_id) == block.mailing_id,
            col(Delivery.number).between(block.first, block.last),
            mailable(),
        )
    )
    undecided = (await session.execute(everybody.where(statements.TRIES == 0).limit(1))).first()
    retries = everybody.join(Result, mine).where(col(Result.outcome) == OutcomeKind.DEFERRED, ~statements.superseded())
    earliest = (await session.execute(retries.with_only_columns(func.min(col(Result.retry_at))))).scalar_one()
    return min((time for time in (soon if undecided else None, earliest) if time is not None), default=None)


def count(block: Block, recorded: Sequence[Recorded]) -> None:
    """Move the counters of a block by what was recorded."""
    for kind, number in Counter(item.kind for item in recorded).items():
        setattr(block, kind.value, getattr(block, kind.value) + number)
    block.deferred -= sum(item.recipient.tries > 0 for item in recorded)


def progress(block: Block) -> dict[str, object]:
    """Give how far a block has come, for `hold`."""
    names = ("done_to", "marked_to", "pass_number", "due_at", "pass_at", "finished", *COUNTERS)
    return {name: getattr(block, name) for name in names}


async def unsettled_of(session: Session, owner: str) -> Sequence[Block]:
    """Give the blocks in which a worker, known to be dead, had marked a window; locked."""
    marked = select(Block).where(col(Block.owner) == owner, col(Block.marked_to) > col(Block.done_to))
    ordered = marked.order_by(col(Block.mailing_id), col(Block.number))
    return (await session.execute(ordered.with_for_update())).scalars().all()


async def leases(session: Session) -> set[str]:
    """Give every lease that a block names, whether it is held or lost."""
    query = select(col(Block.lease)).where(col(Block.finished).is_(False), col(Block.lease).is_not(None))
    return set((await session.execute(query)).scalars())


async def release_of(session: Session, owner: str) -> None:
    """Let go of every lease of a worker that is known to be dead: its successor of the same name calls this."""
    await session.execute(update(Block).where(col(Block.owner) == owner).values(leased_until=0.0))
