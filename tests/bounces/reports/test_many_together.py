"""Many reports in one transaction: each is taken, and followed, as if it had come alone."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import delete, text
from sqlmodel import col, select

from newsletter.bounces import settling
from newsletter.bounces.listener.storing import Incoming, Storing
from newsletter.bounces.reports.actions import Taken
from newsletter.bounces.reports.history import BOUNCED, returned
from newsletter.bounces.reports.rows import MOST_OF_ONE
from newsletter.bounces.reports.tables import Received, ReportState
from newsletter.clock import TurnedClock
from newsletter.delivery.return_address import of_letter
from newsletter.installation import Installation
from newsletter.subscribers.tables import Subscriber, Subscription
from newsletter.tokens import new_id
from tests.bounces.coming_back import CAROL, follows, report, reports, return_address, sent
from tests.delivery.cast import erase, people
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually_async

FULL = "552 5.2.2 Mailbox full"
GONE, *STAYING = people(4)


def incoming(address: str, diagnostic: str = FULL, status: str = "5.2.2") -> Incoming:
    return Incoming(report(CAROL, diagnostic, status), address, from_null=True)


async def together(installation: Installation, mails: list[Incoming]) -> list[Taken]:
    storing = Storing(installation)
    return list(await asyncio.gather(*(storing.store(mail) for mail in mails)))


async def letter_address(installation: Installation, email: str) -> str:
    query = select(Subscription.id).join(Subscriber).where(Subscriber.canonical == email)
    async with installation.database.read() as session:
        subscription_id = (await session.exec(query)).one()
    return of_letter(installation.keys, installation.settings.bounce_domain, subscription_id, installation.clock.now())


async def test_each_is_taken_as_if_it_had_come_alone(installation: Installation, peer: SmtpPeer) -> None:
    await sent(installation, peer, [GONE, *STAYING, CAROL])
    address, gone = return_address(peer), return_address(peer, GONE)
    letter = await letter_address(installation, CAROL)
    nobody = of_letter(installation.keys, installation.settings.bounce_domain, new_id(), installation.clock.now())
    await erase(installation, GONE)
    forged = address[:20] + ("a" if address[20] != "a" else "b") + address[21:]
    taken = await together(
        installation, [incoming(each) for each in (address, gone, address, letter, forged, nobody, letter)]
    )
    expected = ["accepted", "nobody", "repeated", "accepted", "forged", "nobody", "repeated"]
    assert taken == expected
    assert len(await reports(installation)) == 2
    async with installation.database.read() as session:
        assert {each.taken: each.count for each in (await session.exec(select(Received))).all()} == Counter(expected)


async def test_whoever_holds_one_address_fills_nothing(installation: Installation, peer: SmtpPeer) -> None:
    await sent(installation, peer, [*STAYING, CAROL])
    codes = [f"5.7.{number}" for number in range(1, MOST_OF_ONE + 4)]
    mails = [incoming(return_address(peer), f"550 {code} Blocked by policy", code) for code in codes]
    taken = await together(installation, mails)
    assert taken == [Taken.ACCEPTED] * MOST_OF_ONE + [Taken.REPEATED] * 3
    assert await together(installation, [*mails[:1], incoming(return_address(peer, STAYING[0]))]) == [
        Taken.REPEATED,
        Taken.ACCEPTED,
    ]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_nobody_waits_for_one_who_is_just_leaving(installation: Installation, peer: SmtpPeer) -> None:
    await sent(installation, peer, [GONE, *STAYING])
    storing = Storing(installation)
    async with installation.database.write() as leaving:
        await leaving.execute(delete(Subscriber).where(col(Subscriber.canonical) == GONE))
        waiting = [
            asyncio.create_task(storing.store(incoming(return_address(peer, email)))) for email in (GONE, *STAYING)
        ]

        async def others_are_taken() -> bool:
            return [each.done() for each in waiting] == [False, True, True, True]

        await eventually_async(others_are_taken, what="the others")
    assert await asyncio.gather(*waiting) == [Taken.NOBODY] + [Taken.ACCEPTED] * 3


async def test_one_that_cannot_be_settled_takes_nobody_with_it_and_is_tried_later(
    sqlite_installation: Installation, peer: SmtpPeer, clock: TurnedClock
) -> None:
    mailing = await sent(sqlite_installation, peer, people(4))
    await together(sqlite_installation, [incoming(return_address(peer, email)) for email in people(4)])
    async with sqlite_installation.database.write() as session:
        when = "CREATE TRIGGER unlucky BEFORE UPDATE OF state ON report WHEN NEW.number = 2"
        await session.execute(text(f"{when} BEGIN SELECT RAISE(ABORT, 'unlucky'); END"))
    await settling.settle_taken(sqlite_installation)
    states = Counter(each.state for each in await reports(sqlite_installation))
    assert states == {ReportState.SETTLED: 3, ReportState.TAKEN: 1}
    async with sqlite_installation.database.write() as session:
        await session.execute(text("DROP TRIGGER unlucky"))
    # It stands in nobody's way meanwhile.
    assert await settling.settle_taken(sqlite_installation) == 0
    clock.turn(clock.now() + timedelta(minutes=1))
    await follows(sqlite_installation)
    async with sqlite_installation.database.read() as session:
        assert await returned(session, mailing.id) == {"mailbox_full": 4, BOUNCED: 4}
