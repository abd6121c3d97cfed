"""What a mailing leaves behind in the ledger: windows of lost workers, and times that nothing needs any more.

Times of delivery could be held against the hours of the opens (promise P3), so they go when the mailing has ended.
"""

from sqlalchemy import ColumnElement, and_, exists, select, update
from sqlmodel import col

from newsletter.database import Session, database_seconds
from newsletter.delivery.lane import recovery
from newsletter.delivery.tables import Block, Mailing, MailingState, Result
from newsletter.installation import Installation


async def settle_interrupted(session: Session, installation: Installation) -> None:
    """Settle what a lost worker left unknown of mailings that nobody goes on with: paused or cancelled ones.

    Of the cancelled ones also forget the times that the last windows, recorded after the end, have left.
    """
    query = (
        select(Block)
        .join(Mailing, col(Mailing.id) == col(Block.mailing_id))
        .where(
            col(Mailing.state) != MailingState.SENDING,
            col(Block.marked_to) > col(Block.done_to),
            col(Block.leased_until) < database_seconds(),
        )
        .with_for_update(skip_locked=True, of=Block)
    )
    for block in (await session.execute(query)).scalars().all():
        await recovery.settle(session, installation, block)
        block.owner = block.lease = None
    await session.flush()
    late = select(col(Mailing.id)).where(
        col(Mailing.state) == MailingState.CANCELLED,
        exists().where(col(Block.mailing_id) == col(Mailing.id), _untold()),
    )
    for mailing_id in (await session.execute(late)).scalars().all():
        await forget_times(session, mailing_id)


def _untold() -> ColumnElement[bool]:
    """Give the condition that a block has times to forget, and no window of which the outcome must still be found."""
    return and_(col(Block.pass_at) > 0, col(Block.marked_to) == col(Block.done_to))


async def forget_times(session: Session, mailing_id: str) -> None:
    """Forget when the blocks of a cancelled mailing were due and what was to be tried again (DESIGN §6).

    A block with a window on its way keeps them until that is recorded: they say who is in that window.
    """
    # The blocks first: whoever is recording holds theirs, so what they append is seen below.
    await session.execute(
        update(Block)
        .where(col(Block.mailing_id) == mailing_id, _untold())
        .values(due_at=0.0, pass_at=0.0, leased_until=0.0)
        .execution_options(synchronize_session=False)
    )
    on_its_way = exists().where(
        col(Block.mailing_id) == mailing_id,
        col(Result.number).between(col(Block.first), col(Block.last)),
        col(Block.pass_at) > 0,
    )
    await _forget_retries(session, col(Result.mailing_id) == mailing_id, ~on_its_way)


async def forget_retries(session: Session, block: Block) -> None:
    """Forget when the deliveries of a finished block were to be tried again (DESIGN §6)."""
    mine = col(Result.number).between(block.first, block.last)
    await _forget_retries(session, col(Result.mailing_id) == block.mailing_id, mine)


async def _forget_retries(session: Session, *which: ColumnElement[bool]) -> None:
    await session.execute(
        update(Result)
        .where(col(Result.retry_at).is_not(None), *which)
        .values(retry_at=None)
        .execution_options(synchronize_session=False)
    )
