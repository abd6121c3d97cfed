"""Who looks through the mailbox, how far it was looked through, and how that went: verbs of one session.

The lease is by the database's clock. Two at a time would do no harm, for a report is taken once; they would fetch
everything twice.
"""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import col, select

from newsletter.bounces.mailbox.tables import Mailbox
from newsletter.database import Session, database_seconds, insert, rows_of
from newsletter.hearts import is_dead_beside


async def lease(session: Session, mailbox_id: str, poller: str, seconds: float) -> Mailbox | None:
    """Let the mailbox be the poller's for some seconds; None where another one has it."""
    await session.execute(insert(session, Mailbox).values(id=mailbox_id).on_conflict_do_nothing())
    free = (col(Mailbox.poller) == poller) | (col(Mailbox.leased_until) < database_seconds())
    leased = {"poller": poller, "leased_until": database_seconds() + seconds}
    changed = await session.execute(update(Mailbox).where(col(Mailbox.id) == mailbox_id, free).values(**leased))
    return await session.get(Mailbox, mailbox_id) if rows_of(changed) else None


async def mark(session: Session, mailbox_id: str, poller: str, seconds: float, validity: int, seen_to: int) -> bool:
    """Note how far the mailbox was looked through, and renew the lease; give False where another one has it by now."""
    noted = {"validity": validity, "seen_to": seen_to, "leased_until": database_seconds() + seconds}
    held = (col(Mailbox.id) == mailbox_id, col(Mailbox.poller) == poller)
    return bool(rows_of(await session.execute(update(Mailbox).where(*held).values(**noted))))


async def looked(
    session: Session, mailbox_id: str, poller: str, server: str, trouble: str | None, now: datetime, again_at: datetime
) -> None:
    """Note how a look into the mailbox went, and when the next is due; nothing where another one has it by now.

    Who can't reach it for one reason and then for another has not reached it since the first.
    """
    query = select(Mailbox).where(Mailbox.id == mailbox_id, Mailbox.poller == poller).with_for_update()
    mailbox = (await session.exec(query)).first()
    if mailbox is None:
        return
    if mailbox.since is None or bool(mailbox.trouble) != bool(trouble):
        mailbox.since = now
    mailbox.server, mailbox.trouble, mailbox.looked_at, mailbox.again_at = server, trouble, now, again_at


async def forget_others(session: Session, mailbox_id: str, poller: str) -> None:
    """Forget how other mailboxes were that this poller looked into, or a dead one beside it: its setting is theirs.

    How far they were looked through stays, for they may be set again.
    """
    left = (col(Mailbox.poller) == poller) | is_dead_beside(col(Mailbox.poller), poller)
    others = (col(Mailbox.id) != mailbox_id, col(Mailbox.since).is_not(None), left)
    nothing = {"server": None, "trouble": None, "since": None, "looked_at": None, "again_at": None}
    await session.execute(update(Mailbox).where(*others).values(**nothing))


async def release(session: Session, mailbox_id: str, poller: str) -> None:
    """Let another one have the mailbox. Until then nobody means to look, so that none is late."""
    held = (col(Mailbox.id) == mailbox_id, col(Mailbox.poller) == poller)
    await session.execute(update(Mailbox).where(*held).values(leased_until=0.0, again_at=None))
