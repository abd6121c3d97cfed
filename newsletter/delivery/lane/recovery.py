"""What a lost worker left unknown: the window that it had marked (promise P4).

Where its journal is at hand, each delivery of the window is settled by that; else all of them are in doubt.
"""

from newsletter.database import Session
from newsletter.delivery import ledger
from newsletter.delivery.lane import journal
from newsletter.delivery.ledger import Recorded
from newsletter.delivery.rules import recovered, retry_at
from newsletter.delivery.tables import Block, Mailing
from newsletter.installation import Installation
from newsletter.tokens import jitter


async def settle(session: Session, installation: Installation, block: Block) -> list[Recorded]:
    """Record what became of a lost worker's window, and let the rest of the block be gone through again.

    `block` is locked, and still names the lost lease. Gives what was recorded.
    """
    if block.marked_to == block.done_to:
        return []
    mailing = await session.get_one(Mailing, block.mailing_id)
    age = (installation.clock.now() - (mailing.started_at or mailing.created_at)).total_seconds()
    now = await ledger.now(session)
    noted = journal.read(installation.settings.journal_dir, block)
    recorded = []
    for recipient in await ledger.window(session, block, block.marked_to - block.done_to, block.marked_to):
        if (outcome := recovered(noted, recipient.number)) is not None:
            later = retry_at(outcome, recipient.tries + 1, age, now, jitter(1.0, 1.5))
            recorded.append(Recorded(recipient, block.pass_number, outcome, later))
    await ledger.append(session, block.mailing_id, recorded)
    ledger.count(block, recorded)
    block.done_to = block.marked_to = block.first
    return recorded
