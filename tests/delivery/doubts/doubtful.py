"""Mailings with readers in doubt, and an editor's two decisions about them."""

from collections.abc import Collection

from sqlmodel import col, select

from newsletter.delivery.doubts import actions as doubts
from newsletter.delivery.tables import Mailing
from newsletter.installation import Installation
from newsletter.subscribers.tables import Subscriber, Subscription
from tests.delivery.cast import finish, in_doubt, mailing_to, people, send
from tests.support.peer import SmtpPeer

DOUBTFUL = people(3)


async def doubtful_mailing(installation: Installation, peer: SmtpPeer, readers: int = 20) -> Mailing:
    """Send to some readers; the connection breaks after the mails of the first three. Let it finish if it can."""
    mailing = await mailing_to(installation, people(readers))
    for email in DOUBTFUL:
        peer.hang_up(email)
    await send(installation, peer, mailing)
    await finish(installation)
    assert await in_doubt(installation, mailing) == set(DOUBTFUL)
    return mailing


async def ids_of(installation: Installation, emails: Collection[str]) -> list[str]:
    async with installation.database.read() as session:
        query = select(Subscription.id).join(Subscriber, col(Subscriber.id) == Subscription.subscriber_id)
        return list((await session.exec(query.where(col(Subscriber.email).in_(emails)))).all())


async def resend(installation: Installation, mailing: Mailing, emails: Collection[str] | None = None) -> int:
    """Send again to these, or to all."""
    chosen = None if emails is None else await ids_of(installation, emails)
    async with installation.database.write() as session:
        return await doubts.resend(session, mailing.issue_id, chosen)


async def let_be(installation: Installation, mailing: Mailing, emails: Collection[str] | None = None) -> int:
    """Send nothing more to these, or to all."""
    chosen = None if emails is None else await ids_of(installation, emails)
    async with installation.database.write() as session:
        return await doubts.let_be(session, mailing.issue_id, chosen)
