"""A dead address: sending stops at once; after a hold the person is deleted, unless too many die at once (F3, F4)."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func
from sqlmodel import select

from newsletter.agreements.actions import Origin
from newsletter.agreements.notices import actions as notices
from newsletter.bounces import actions as bounces
from newsletter.bounces import signals as signalling
from newsletter.bounces.tables import Tally
from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from newsletter.signup.actions import Asked, ask, confirm, confirmation_token
from newsletter.signup.rules import read_signup
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.actions import count_mailable
from newsletter.subscribers.tables import SignalState, Subscription
from tests.bounces.coming_back import CAROL, HOUR, alive, bury, sent_with_dead, signals
from tests.delivery.cast import begin, finish, found, people, results, send, standing, subscribe
from tests.support.peer import SmtpPeer


async def test_nothing_more_is_sent_at_once_and_after_the_hold_nothing_is_left(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    newsletter = await found(installation)
    await subscribe(installation, newsletter, [*people(5), CAROL])
    peer.refuse(CAROL)
    mailing = await begin(installation, newsletter)
    await send(installation, peer, mailing)
    await finish(installation)
    before = await standing(installation, mailing)
    assert (before.delivered, before.refused) == (5, 1)
    async with installation.database.read() as session:
        assert await count_mailable(session, newsletter.id) == 5, "as the console announces it"
    assert (await begin(installation, newsletter)).audience == 5
    clock.turn(clock.now() + HOUR - timedelta(seconds=1))
    assert await bury(installation) == 0
    clock.turn(clock.now() + timedelta(seconds=1))
    assert await bury(installation) == 1
    assert CAROL not in await alive(installation)
    assert not await signals(installation)
    async with installation.database.read() as session:
        assert (await session.exec(select(func.count()).select_from(Subscription))).one() == 5
    assert await standing(installation, mailing) == before


async def test_without_a_hold_it_is_deleted_at_once(installation: Installation, peer: SmtpPeer) -> None:
    """DEAD_ADDRESS_HOLD=0."""
    await sent_with_dead(installation, peer, [*people(5), CAROL], CAROL)
    settings = installation.settings.model_copy(update={"dead_address_hold": 0})
    assert await bury(replace(installation, settings=settings)) == 1
    assert await alive(installation) == set(people(5))


async def test_policy_and_full_mailboxes_bury_nobody(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    """Promise P6."""
    peer.refuse("reader000@example.com", "550 5.7.1 blocked by policy")
    peer.refuse("reader001@example.com", "552 5.2.2 mailbox full")
    peer.refuse("reader002@example.com", "550 5.2.2 mailbox full")
    peer.refuse("reader003@example.com", "550 the user is unknown")
    peer.refuse("reader004@example.com", "550 5.1.1 in the content?", stage="END")
    peer.refuse("reader005@example.com", "550 5.1.1 blocked using zen.example.org")
    peer.refuse("reader006@example.com", "550-5.1.1 The mailbox of this user\r\n550 5.1.1 is full")
    await sent_with_dead(installation, peer, people(8))
    assert not await signals(installation)
    clock.turn(clock.now() + 2 * HOUR)
    assert await bury(installation) == 0
    assert await alive(installation) == set(people(8))


async def test_what_the_address_asked_for_and_did_not_confirm_goes_too(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    await sent_with_dead(installation, peer, [*people(5), CAROL], CAROL)
    await asked(installation, CAROL)
    await asked(installation, "dora@example.com")
    clock.turn(clock.now() + HOUR)
    assert await bury(installation) == 1
    async with installation.database.read() as session:
        assert (await session.exec(select(SignupRequest.canonical))).all() == ["dora@example.com"]


async def test_who_confirms_from_the_mailbox_is_alive(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    await sent_with_dead(installation, peer, [*people(5), CAROL], CAROL)
    request_id = await asked(installation, CAROL)
    async with installation.database.write() as session:
        await confirm(session, installation, confirmation_token(installation.keys, request_id))
    clock.turn(clock.now() + HOUR)
    assert await bury(installation) == 0
    assert CAROL in await alive(installation)


async def asked(installation: Installation, email: str) -> str:
    newsletter = await found(installation, f"news-{email.partition('@')[0]}")
    async with installation.database.write() as session:
        notice = (await notices.in_force(session, newsletter.id, installation.clock.now()))["en"]
        how = Asked(notice, witnessed=True, origin=Origin("subject", "web"), hours=72)
        return await ask(session, installation, newsletter, read_signup({"email": email, "agreed": True}, "en"), how)


async def test_a_small_domain_where_most_die_at_once_is_quarantined(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    """RULES F4. The other domain's dead is buried all the same."""
    small = people(3, "small.example.org")
    await sent_with_dead(installation, peer, [*people(60), CAROL, *small], CAROL, *small)
    assert await bury(installation) == 0
    clock.turn(clock.now() + HOUR)
    assert await bury(installation) == 1
    assert await alive(installation) == {*people(60), *small}
    assert await signals(installation) == [SignalState.QUARANTINED] * 3


async def test_a_large_domain_that_refuses_one_in_ten_is_quarantined(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    everybody = people(200)
    await sent_with_dead(installation, peer, everybody, *everybody[:20])
    clock.turn(clock.now() + HOUR)
    assert await bury(installation) == 0
    assert await alive(installation) == set(everybody)
    assert await signals(installation) == [SignalState.QUARANTINED] * 20


async def test_a_mailing_of_which_many_die_in_many_domains_is_quarantined(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    dead = [f"reader@domain{number:02}.example.org" for number in range(20)]
    await sent_with_dead(installation, peer, [*people(60), *dead], *dead)
    clock.turn(clock.now() + HOUR)
    assert await bury(installation) == 0
    assert await alive(installation) == {*people(60), *dead}


async def test_what_a_domain_accepted_in_the_hour_before_does_not_hide_a_flood(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    """RULES F4: within an hour. The mailing as a whole is well, for the other domain is large."""
    installation = sqlite_installation
    everybody = people(60)
    async with installation.database.write() as session:
        name = signalling.tag(installation.keys, "domain", "example.com")
        session.add(Tally(tag=name, hour=clock.now() - HOUR, accepted=1000))
    await sent_with_dead(installation, peer, [*everybody, *people(370, "example.org")], *everybody[:21])
    clock.turn(clock.now() + HOUR)
    assert await bury(installation) == 0
    assert await signals(installation) == [SignalState.QUARANTINED] * 21


async def test_the_same_death_in_two_mailings_is_one_signal(installation: Installation, peer: SmtpPeer) -> None:
    books, music = await found(installation), await found(installation, "music")
    for newsletter in (books, music):
        await subscribe(installation, newsletter, [*people(5), CAROL])
    peer.refuse(CAROL)
    mailings = [await begin(installation, newsletter) for newsletter in (books, music)]
    for mailing in mailings:
        await send(installation, peer, mailing)
    assert await signals(installation) == [SignalState.HELD]
    assert [len(await results(installation, mailing, CAROL)) for mailing in mailings] == [1, 0]


async def test_tallies_are_forgotten(installation: Installation, clock: TurnedClock, peer: SmtpPeer) -> None:
    await sent_with_dead(installation, peer, people(5))
    clock.turn(clock.now() + timedelta(days=8))
    async with installation.database.write() as session:
        await bounces.purge_tallies(session, installation)
    async with installation.database.read() as session:
        assert (await session.exec(select(func.count()).select_from(Tally))).one() == 0
