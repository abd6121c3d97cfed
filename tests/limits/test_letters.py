"""Letters that strangers can cause: so many to an address, of all kinds together and without a word (RULES H1, H3)."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import select

from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from newsletter.limits.actions import held_about
from newsletter.limits.tables import LimitAddress
from newsletter.mail.tables import Letter
from newsletter.retention import actions as retention
from newsletter.rights.access import gather_by_address
from newsletter.signup.tables import SignupRequest
from tests.limits.crowd import VICTIM, Crowd, crowded
from tests.signup.site import OF_A_REQUEST, shown
from tests.signup.test_letters import mailed
from tests.support.peer import SmtpPeer

ALICE, BOB = "alice@example.com", "bob@example.com"


async def sent(crowd: Crowd, peer: SmtpPeer) -> list[str]:
    """Mail what waits; give to whom something went."""
    return sorted(letter.recipients[0] for letter in await mailed(crowd.site, peer))


async def test_one_letter_an_hour_and_three_in_a_week(crowd: Crowd, peer: SmtpPeer) -> None:
    told = []
    for hours in (0, 0.5, 0.4, 0.2, 30, 1, 1, 1, 24 * 7 - 33.2):
        crowd.turn(hours=hours)
        await crowd.sign_up(VICTIM)
        told.append(len(await sent(crowd, peer)))
    assert told == [1, 0, 0, 1, 1, 0, 0, 0, 1]


async def test_of_many_at_once_one_letter_leaves_and_every_request_is_on_record(crowd: Crowd, peer: SmtpPeer) -> None:
    for number in range(60):
        assert (await crowd.sign_up(VICTIM, f"198.51.{number}.7")).status_code == 202
    await crowd.sign_up(BOB)
    assert await sent(crowd, peer) == [BOB, VICTIM]
    assert await crowd.site.all(Letter) == []
    assert len(await crowd.site.all(SignupRequest)) == 61


async def test_all_kinds_are_counted_together(crowd: Crowd, peer: SmtpPeer) -> None:
    await crowd.sign_up(VICTIM)
    assert await sent(crowd, peer) == [VICTIM]
    await crowd.ask_for_my_page(VICTIM)
    assert await sent(crowd, peer) == []
    crowd.turn(hours=1)
    await crowd.ask_for_my_page(VICTIM)
    assert await sent(crowd, peer) == [VICTIM]
    await crowd.sign_up(VICTIM.upper())
    assert await sent(crowd, peer) == []


async def test_another_s_new_address_is_counted_too(crowd: Crowd, peer: SmtpPeer) -> None:
    await crowd.site.subscribe(ALICE)
    await sent(crowd, peer)
    crowd.turn(hours=1)
    await crowd.ask_for_my_page(ALICE)
    (letter,) = await mailed(crowd.site, peer)
    await crowd.site.http.post(letter.link("my").removeprefix("https://news.example.com"))
    page = (await crowd.site.http.get("/my")).text
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    for _ in range(2):
        answer = await crowd.site.http.post("/my/address", data={"form_token": token, "email": VICTIM})
        assert answer.status_code == 303
    await crowd.sign_up(VICTIM)
    assert await sent(crowd, peer) == [VICTIM]


async def test_nobody_sees_a_limit_and_the_same_is_written(crowd: Crowd, peer: SmtpPeer) -> None:
    """RULES H3: who got enough, whom nobody knows, and who is a reader."""
    await crowd.site.subscribe(ALICE)
    for _ in range(2):
        await crowd.sign_up(VICTIM)
        await sent(crowd, peer)
    answers, written = [], []
    for email in (VICTIM, "nobody@example.com", ALICE):
        for act in (crowd.sign_up, crowd.ask_for_my_page):
            before = await crowd.site.rows(without={"limit_bucket"})
            with crowd.site.statements() as said:
                answers.append((act.__name__, shown(await act(email)), [each.split(" ")[0] for each in said]))
            after = await crowd.site.rows(without={"limit_bucket"})
            written.append(
                {name: len(rows) - len(before[name]) for name, rows in after.items() if rows != before[name]}
            )
    assert answers[0::2] == [answers[0]] * 3
    assert answers[1::2] == [answers[1]] * 3
    assert written == [dict.fromkeys(OF_A_REQUEST, 1), {"my_visit": 1, "letter": 1}] * 3


async def test_the_letter_that_arrived_lets_its_reader_in(crowd: Crowd, peer: SmtpPeer) -> None:
    await crowd.sign_up(VICTIM)
    (letter,) = await mailed(crowd.site, peer)
    for _ in range(5):
        await crowd.sign_up(VICTIM)
        assert await sent(crowd, peer) == []
    path = letter.link("confirm").removeprefix("https://news.example.com")
    assert (await crowd.site.http.post(path)).status_code == 200
    assert [person.email for person in await crowd.site.people()] == [VICTIM]
    # The welcome is nothing that a stranger causes.
    assert await sent(crowd, peer) == [VICTIM]


async def test_a_letter_that_is_tried_again_is_counted_once(crowd: Crowd, peer: SmtpPeer) -> None:
    peer.defer(VICTIM, "451 4.7.1 later", times=3)
    await crowd.sign_up(VICTIM)
    for _ in range(4):
        await mailed(crowd.site, peer)
        crowd.turn(minutes=10)
    assert peer.counted() == {VICTIM: 1}


async def test_two_workers_at_once_let_one_letter_through(crowd: Crowd, peer: SmtpPeer) -> None:
    for number in range(12):
        await crowd.sign_up(VICTIM, f"198.51.{number}.7")
        await crowd.ask_for_my_page(VICTIM, f"198.51.{number}.7")
    await asyncio.gather(*(mailed(crowd.site, peer) for _ in range(3)))
    assert peer.counted() == {VICTIM: 1}


async def test_a_clock_that_is_turned_back_opens_nothing(crowd: Crowd, peer: SmtpPeer) -> None:
    crowd.turn(hours=3)
    await crowd.sign_up(VICTIM)
    assert await sent(crowd, peer) == [VICTIM]
    crowd.turn(hours=-1)
    for _ in range(8):
        await crowd.sign_up(VICTIM)
        assert await sent(crowd, peer) == []
        crowd.turn(minutes=14)


@pytest.mark.parametrize("days", [0.0, 29.9])
async def test_no_rule_and_no_new_process_opens_a_week(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer, days: float
) -> None:
    clock.turn(clock.now() + timedelta(days=days))
    for there_already, hours, expected in ((False, 0, 1), (True, 2, 1), (True, 2, 1), (True, 24 * 6, 0), (True, 21, 1)):
        clock.turn(clock.now() + timedelta(hours=hours))
        async with crowded(installation, clock, there_already=there_already) as crowd:
            await retention.run_all(crowd.site.installation)
            await crowd.sign_up(VICTIM)
            assert len(await sent(crowd, peer)) == expected


async def test_what_is_kept_is_a_tag_told_to_its_reader_and_gone_after_a_week(crowd: Crowd, peer: SmtpPeer) -> None:
    await crowd.sign_up(VICTIM)
    await sent(crowd, peer)
    (kept,) = await crowd.site.all(LimitAddress)
    assert VICTIM not in repr(kept)
    installation = crowd.site.installation
    async with installation.database.read() as session:
        (tag,) = await held_about(session, installation, VICTIM)
        assert tag.until - installation.clock.now() == timedelta(days=7)
        assert await held_about(session, installation, ALICE) == []
        assert [each.purpose for each in (await gather_by_address(session, installation, VICTIM)).tags] == ["limits"]
    crowd.turn(days=7)
    await retention.run_all(installation)
    async with installation.database.read() as session:
        assert (await session.exec(select(LimitAddress))).all() == []


async def test_who_is_not_known_gets_no_letter_for_a_tag(crowd: Crowd, peer: SmtpPeer) -> None:
    """Else a stranger could make an address known by signing it up."""
    await crowd.sign_up(VICTIM)
    await sent(crowd, peer)
    crowd.turn(days=4)
    await retention.run_all(crowd.site.installation)
    await crowd.ask_for_my_page(VICTIM)
    assert await sent(crowd, peer) == []
