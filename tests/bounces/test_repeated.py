"""A closed mailbox, or a domain that is gone: dead when it is said again, seven days later (RULES F2)."""

from datetime import timedelta

import pytest

from newsletter.bounces import signals as signalling
from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from tests.bounces.coming_back import CAROL, alive, comes, follows, report, return_address, signals
from tests.delivery.cast import begin, finish, found, people, send, subscribe
from tests.support.peer import SmtpPeer

CLOSED = report(diagnostic="550 5.2.1 mailbox disabled", status="5.2.1")
DAY = timedelta(days=1)


async def issues(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer, days: list[int], *, refused: bool
) -> None:
    """Send an issue on each of these days, and each comes back from Carol's closed mailbox, at once or later."""
    newsletter, began = await found(installation), clock.now()
    await subscribe(installation, newsletter, [*people(5), CAROL])
    for day in days:
        clock.turn(began + day * DAY)
        if refused:
            peer.refuse(CAROL, "550 5.2.1 mailbox disabled")
        await send(installation, peer, await begin(installation, newsletter))
        await finish(installation)
        if not refused:
            await comes(installation, CLOSED, return_address(peer))
        await follows(installation)


@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.parametrize(
    ("days", "dead"), [([0], False), ([0, 6], False), ([0, 7], True), ([0, 6, 8], True), ([0, 61], False)]
)
async def test_it_is_the_second_that_counts(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer, days: list[int], *, dead: bool, refused: bool
) -> None:
    await issues(sqlite_installation, clock, peer, days, refused=refused)
    assert bool(await signals(sqlite_installation)) is dead
    clock.turn(clock.now() + timedelta(hours=1))
    assert await follows(sqlite_installation) == dead
    assert (CAROL in await alive(sqlite_installation)) is not dead


async def test_mail_that_arrives_meanwhile_takes_the_first_back(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    await issues(installation, clock, peer, [0], refused=True)
    peer.accept(CAROL)
    clock.turn(clock.now() + 2 * DAY)
    newsletter = await found(installation, "more")
    await subscribe(installation, newsletter, [CAROL])
    await send(installation, peer, await begin(installation, newsletter))
    await finish(installation)
    for days, forgotten in ((3, 0), (6, 1)):
        clock.turn(clock.now() + days * DAY)
        async with installation.database.write() as session:
            assert await signalling.count_forgotten(session, installation) == forgotten
            assert await signalling.forget_first(session, installation) == forgotten
