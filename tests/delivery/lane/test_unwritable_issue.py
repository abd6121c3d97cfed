"""An issue that can't be written at all stops for an editor, and nobody is refused for it."""

from sqlalchemy import update
from sqlmodel import col

from newsletter.delivery.tables import Mailing, MailingState
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from tests.delivery.cast import mailing_to, people, send, standing, steer
from tests.support.peer import SmtpPeer


async def rename(installation: Installation, mailing: Mailing, name: str) -> None:
    async with installation.database.write() as session:
        await session.execute(update(Newsletter).where(col(Newsletter.id) == mailing.newsletter_id).values(name=name))


async def test_a_name_that_no_header_can_hold_pauses_the_mailing_and_says_why(
    installation: Installation, peer: SmtpPeer
) -> None:
    mailing = await mailing_to(installation, people(5))
    # As no page lets in, but an old row may hold.
    await rename(installation, mailing, "Books\r\nBcc: mallory@example.com")
    await send(installation, peer, mailing)
    assert not peer.mails
    async with installation.database.read() as session:
        paused = await session.get_one(Mailing, mailing.id)
    assert (paused.state, (await standing(installation, mailing)).queued) == (MailingState.PAUSED, 5)
    assert paused.trouble is not None
    assert "can't be written" in paused.trouble
    await rename(installation, mailing, "Books")
    await steer(installation, mailing, "resume")
    await send(installation, peer, mailing)
    assert len(peer.mails) == 5
