"""Whoever forges reports, or sends real ones again, buries nobody; nor does a provider by mistake (RULES F4, F5)."""

from dataclasses import replace

from sqlmodel import select

from newsletter.bounces.reports.actions import Taken, recognises, take
from newsletter.bounces.reports.tables import Received
from newsletter.clock import TurnedClock
from newsletter.database import Session
from newsletter.delivery.return_address import ReturnAddresses
from newsletter.installation import Installation
from newsletter.subscribers.tables import SignalState, Subscriber
from newsletter.tokens import Keyring
from tests.bounces.coming_back import CAROL, HOUR, alive, comes, follows, report, return_address, sent, signals
from tests.delivery.cast import people
from tests.support.peer import SmtpPeer

STRANGER = Keyring(b"somebody else's secret, 32 bytes or more")


async def test_ten_thousand_forged_and_replayed_reports_delete_nobody(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    """The replayed ones are of a delivery that did not arrive for another reason. On PostgreSQL a tenth must do."""
    many = 10_000 if installation.database.on_sqlite else 1_000
    mailing = await sent(installation, peer, [*people(5), CAROL])
    real = return_address(peer)
    forged = ReturnAddresses(STRANGER, installation.settings.bounce_domain, mailing.id)
    await comes(installation, report(diagnostic="552 5.2.2 mailbox full", status="5.2.2"), real)
    await follows(installation)
    now, raw = clock.now().timestamp(), report()

    async def flood(session: Session) -> None:
        for number in range(many):
            address = real if number % 50 == 0 else forged.of(number % 6, now)
            await take(session, installation, raw, address, "listener")

    await installation.database.write_at_once(flood)
    await follows(installation)
    clock.turn(clock.now() + HOUR)
    assert await follows(installation) == 0
    assert await alive(installation) == {*people(5), CAROL}
    async with installation.database.read() as session:
        counted = {each.taken: each.count for each in (await session.exec(select(Received))).all()}
    assert counted == {"accepted": 2, "repeated": many // 50 - 1, "forged": many - many // 50}
    assert await signals(installation) == []


async def test_reports_of_a_whole_domain_wait_for_an_editor(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    """RULES F4; the relay had taken all of them, and hours ago."""
    small = people(3, "small.example.org")
    await sent(installation, peer, [*people(60), CAROL, *small])
    clock.turn(clock.now() + 5 * HOUR)
    for email in (CAROL, *small):
        await comes(installation, report(email), return_address(peer, email))
    await follows(installation)
    clock.turn(clock.now() + HOUR)
    assert await follows(installation) == 1
    assert await alive(installation) == {*people(60), *small}
    assert await signals(installation) == [SignalState.QUARANTINED] * 3


async def test_a_few_dead_of_a_large_domain_need_no_editor_however_late_they_come_back(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    everybody = people(100)
    await sent(sqlite_installation, peer, everybody)
    clock.turn(clock.now() + 30 * HOUR)
    for email in everybody[:4]:
        await comes(sqlite_installation, report(email), return_address(peer, email))
    await follows(sqlite_installation)
    clock.turn(clock.now() + HOUR)
    assert await follows(sqlite_installation) == 4


async def test_who_had_the_processing_restricted_is_kept_while_that_lasts(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    """GDPR art. 18."""
    await sent(installation, peer, [*people(5), CAROL])
    async with installation.database.write() as session:
        carol = (await session.exec(select(Subscriber).where(Subscriber.canonical == CAROL))).one()
        carol.restricted_at = clock.now()
    await comes(installation, report(), return_address(peer))
    await follows(installation)
    clock.turn(clock.now() + 2 * HOUR)
    assert await follows(installation) == 0
    assert CAROL in await alive(installation)
    async with installation.database.write() as session:
        (await session.exec(select(Subscriber).where(Subscriber.canonical == CAROL))).one().restricted_at = None
    assert await follows(installation) == 1


async def test_an_address_outlives_a_rotation_of_the_keys(sqlite_installation: Installation, peer: SmtpPeer) -> None:
    await sent(sqlite_installation, peer, [*people(5), CAROL])
    address, old = return_address(peer), sqlite_installation.keys.root
    rotated = replace(sqlite_installation, keys=Keyring(b"n" * 32, previous=old))
    twice = replace(sqlite_installation, keys=Keyring(b"m" * 32, previous=b"n" * 32))
    assert recognises(rotated, address)
    assert not recognises(twice, address)
    assert await comes(twice, report(), address) == Taken.FORGED
    assert await comes(rotated, report(), address) == Taken.ACCEPTED
