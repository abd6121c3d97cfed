"""While mails are signed ahead of the connections, it is looked up who may still be mailed (RULES E3)."""

import asyncio
from collections.abc import Sequence

from newsletter.clock import Clock
from newsletter.delivery import ledger
from newsletter.delivery.lane.content import edition_of
from newsletter.delivery.lane.window import Held, Parcel, Window
from newsletter.delivery.tables import Block
from newsletter.installation import Installation
from newsletter.mail.dkim.keys import SigningDomain, SigningKey, new_key
from newsletter.mail.dkim.signing import Signer
from tests.delivery.cast import mailing_to, people

DOMAIN = SigningDomain("example.com", (SigningKey("s1", new_key()),))


class BusySigner(Signer):
    """Has other things to do first."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(DOMAIN, clock)
        self.free = asyncio.Event()

    async def sign(self, contents: Sequence[bytes]) -> list[bytes]:
        await self.free.wait()
        return await super().sign(contents)


async def signed_while_looked_at(installation: Installation, may_be_mailed: set[int]) -> set[int]:
    """Give whose mail leaves of four, when a look that began before their mails were signed ends after it."""
    mailing = await mailing_to(installation, people(4))
    async with installation.database.write() as session:
        edition = await edition_of(session, installation, mailing.issue_id)
        block = await session.get_one(Block, (mailing.id, 0))
        recipients = await ledger.window(session, block, 10)
    signer = BusySigner(installation.clock)
    window = Window(edition, Held(block, recipients, None, float("inf")), installation.clock, signer)
    signing = asyncio.create_task(window.sign(lambda: None))
    await asyncio.sleep(0)
    asked = window.waiting
    signer.free.set()
    await signing
    window.narrow(asked, asked & may_be_mailed)
    taken: set[int] = set()
    while isinstance(mail := window.take(), Parcel):
        taken.add(mail.recipient.number)
    signer.close()
    return taken


async def test_nobody_is_left_behind_who_was_being_signed_at_the_look(sqlite_installation: Installation) -> None:
    assert await signed_while_looked_at(sqlite_installation, {0, 1, 2, 3}) == {0, 1, 2, 3}


async def test_who_has_left_meanwhile_gets_nothing(sqlite_installation: Installation) -> None:
    assert await signed_while_looked_at(sqlite_installation, {0, 1, 3}) == {0, 1, 3}
