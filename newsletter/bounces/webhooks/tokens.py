"""Tokens that count once: whoever shows one again is refused, also at the same moment (RULES F8)."""

from datetime import timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select

from newsletter.bounces.webhooks.events import NotProven
from newsletter.bounces.webhooks.tables import UsedToken
from newsletter.database import Session, insert, rows_of
from newsletter.installation import Installation
from newsletter.tokens import fingerprint

# Longer than a token could be shown: its time may lie five minutes ahead, and is good for five more.
KEPT = timedelta(minutes=15)


class UsedBefore(NotProven):
    """The message, or another with its token, was taken before. Mailgun sends one that is answered so no more."""

    status = 406
    title = "Used before"


async def use(session: Session, installation: Installation, token: str) -> None:
    """Use a token up. Raises UsedBefore."""
    values = {"digest": fingerprint(token), "used_at": installation.clock.now()}
    if not rows_of(await session.execute(insert(session, UsedToken).values(values).on_conflict_do_nothing())):
        raise UsedBefore("The token of this message was used before.")


async def count_old(session: Session, installation: Installation) -> int:
    """Give how many tokens are over."""
    over = col(UsedToken.used_at) < installation.clock.now() - KEPT
    return (await session.exec(select(func.count()).select_from(UsedToken).where(over))).one()


async def purge_old(session: Session, installation: Installation) -> int:
    """Delete the tokens that are over; give how many."""
    over = col(UsedToken.used_at) < installation.clock.now() - KEPT
    return rows_of(await session.execute(delete(UsedToken).where(over)))
