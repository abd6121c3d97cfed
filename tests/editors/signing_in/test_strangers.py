"""Strangers who try passwords: few are tried, they keep nobody out, and nothing tells them who has an account."""

import asyncio
from collections import Counter
from datetime import timedelta

import httpx
import pytest
from sqlmodel import select

from newsletter.clock import TurnedClock
from newsletter.editors.audit.tables import AuditEntry
from newsletter.editors.signing_in import limits
from newsletter.editors.signing_in.rules import STRANGERS
from newsletter.editors.tables import EditorNetwork, SignInLimit
from newsletter.installation import Installation
from tests.editors.desk import EMAIL, PASSWORD, SIGN_IN, Desk
from tests.signup.site import open_site

HOME = "198.51.100.7"
TRIED, REFUSED, IN = 422, 429, 303


async def answers(desk: Desk, address: str, email: str, password: str, times: int = 1) -> list[int]:
    """Give the answers to so many tries from a network."""
    door = desk.elsewhere(address)
    values = {"email": email, "password": password, "_csrf_token": await door.csrf()}
    return [(await door.http.post(SIGN_IN, data=values)).status_code for _ in range(times)]


async def test_a_thousand_wrong_passwords_from_200_networks(any_desk: Desk, clock: TurnedClock) -> None:
    """At most 30 are tried in an hour for one account; its owner comes in throughout, from where she always does."""
    assert await answers(any_desk, HOME, EMAIL, PASSWORD) == [IN]
    token = await any_desk.csrf()
    doors = [any_desk.elsewhere(f"203.0.113.{number}", same_cookies=True) for number in range(200)]
    came = Counter[int]()
    for number in range(1000):
        form = {"email": EMAIL, "password": f"not the password {number}", "_csrf_token": token}
        door = doors[number % 200]
        came[(await door.http.post(SIGN_IN, data=form)).status_code] += 1
        clock.turn(clock.now() + timedelta(seconds=3.6))
        if number % 50 == 0:
            assert await answers(any_desk, HOME, EMAIL, PASSWORD) == [IN]
    assert came[TRIED] <= 30
    assert came == {TRIED: came[TRIED], REFUSED: 1000 - came[TRIED]}
    async with any_desk.site.installation.database.read() as session:
        noted = (await session.exec(select(AuditEntry).where(AuditEntry.act == "sign_in_failed"))).all()
    assert len(noted) == came[TRIED]


async def test_what_was_right_uses_no_try_up(desk: Desk) -> None:
    for _ in range(30):
        assert await answers(desk, HOME, EMAIL, PASSWORD) == [IN]


async def test_a_network_of_ones_own_has_its_own_tries_and_then_those_of_all(desk: Desk) -> None:
    await answers(desk, HOME, EMAIL, PASSWORD)
    assert await answers(desk, HOME, EMAIL, "wrong", 14) == [TRIED] * 13 + [REFUSED]
    assert await answers(desk, HOME, "ola@example.com", "wrong") == [REFUSED]


async def test_one_network_does_not_try_many_names(desk: Desk) -> None:
    tries = [await answers(desk, "203.0.113.1", f"name{number}@example.com", "wrong") for number in range(12)]
    assert tries == [[TRIED]] * 8 + [[REFUSED]] * 4
    assert await answers(desk, "203.0.113.2", "name1@example.com", "wrong") == [TRIED]


async def test_a_name_that_is_nobodys_is_refused_as_soon_as_one_that_is_somebodys(desk: Desk) -> None:
    for name in (EMAIL, "nobody@example.com"):
        came = [(await answers(desk, f"203.0.113.{number}", name, "wrong"))[0] for number in range(10)]
        assert came == [TRIED] * 8 + [REFUSED] * 2
    pages = []
    for name in (EMAIL, "nobody@example.com"):
        door = desk.elsewhere("203.0.113.99")
        values = {"email": name, "password": PASSWORD, "_csrf_token": await door.csrf()}
        with desk.site.statements() as said:
            answer = await door.http.post(SIGN_IN, data=values)
        text = answer.text.replace(name, "").replace(values["_csrf_token"], "")
        pages.append((answer.status_code, text, answer.headers["retry-after"], list(said)))
    assert pages[0] == pages[1]
    assert pages[0][2] == "301"


async def test_the_other_way_of_writing_an_address_is_the_same_account(desk: Desk) -> None:
    spelled = [EMAIL, EMAIL.upper(), f" {EMAIL}", EMAIL.title()] * 3
    came = [(await answers(desk, f"203.0.113.{n}", name, "wrong"))[0] for n, name in enumerate(spelled)]
    assert came == [TRIED] * 8 + [REFUSED] * 4


async def test_two_processes_share_one_limit_and_a_restart_forgets_none(installation: Installation) -> None:
    async with open_site(installation) as first:
        await _olga(installation)
        desk = Desk(first)
        async with open_site(installation, there_already=True) as second:
            for number, site in enumerate([first, second] * 4):
                assert await answers(Desk(site), f"203.0.113.{number}", EMAIL, "wrong") == [TRIED]
            for site in (first, second):
                assert await answers(Desk(site), "203.0.113.50", EMAIL, "wrong") == [REFUSED]
        assert await answers(desk, "203.0.113.51", EMAIL, PASSWORD) == [REFUSED]
    async with open_site(installation, there_already=True) as third:
        assert await answers(Desk(third), "203.0.113.52", EMAIL, PASSWORD) == [REFUSED]


async def _olga(installation: Installation) -> None:
    from newsletter.editors import accounts

    async with installation.database.write() as session:
        await accounts.add(session, installation.clock, EMAIL, "Olga", PASSWORD)


async def test_of_many_at_once_no_more_are_let_than_of_one_after_another(installation: Installation) -> None:
    async def take() -> bool:
        async with installation.database.write() as session:
            wanted = {"account": STRANGERS, "network": STRANGERS}
            return await limits.take(session, installation, wanted) is None

    taken = await asyncio.gather(*(take() for _ in range(40)))
    assert taken.count(True) == 8


async def test_a_clock_that_is_turned_back_an_hour_opens_nothing(any_desk: Desk, clock: TurnedClock) -> None:
    for number in range(9):
        await answers(any_desk, f"203.0.113.{number}", EMAIL, "wrong")
    clock.turn(clock.now() - timedelta(hours=1))
    assert await answers(any_desk, "203.0.113.9", EMAIL, PASSWORD) == [REFUSED]
    clock.turn(clock.now() + timedelta(hours=1, minutes=5))
    assert await answers(any_desk, "203.0.113.9", EMAIL, "wrong", 2) == [TRIED, REFUSED]


async def test_a_network_is_known_for_sixty_days_and_to_nobody_who_reads_the_database(
    any_desk: Desk, clock: TurnedClock
) -> None:
    await answers(any_desk, HOME, EMAIL, PASSWORD)
    for table in (EditorNetwork, SignInLimit):
        assert HOME not in repr(await any_desk.site.all(table))
    for days, expected in ((59, IN), (61, REFUSED)):
        clock.turn(clock.now() + timedelta(days=days))
        for number in range(10):
            await answers(any_desk, f"203.0.113.{number}", EMAIL, "wrong")
        assert await answers(any_desk, HOME, EMAIL, PASSWORD) == [expected]


async def test_failures_do_not_fill_the_audit_trail(desk: Desk) -> None:
    for number in range(40):
        await answers(desk, f"203.0.113.{number}", f"name{number}@example.com", "wrong")
    async with desk.site.installation.database.read() as session:
        noted = (await session.exec(select(AuditEntry).where(AuditEntry.act == "sign_in_failed"))).all()
    assert len(noted) == 30


@pytest.mark.parametrize("address", ["2001:db8:1:2::", "2001:db8:1:2:ffff::"])
async def test_a_whole_64_of_addresses_is_one_network(desk: Desk, address: str) -> None:
    came = [(await answers(desk, f"{address}{n}", f"name{n}@example.com", "wrong"))[0] for n in range(1, 11)]
    assert came == [TRIED] * 8 + [REFUSED] * 2
    assert httpx.codes.TOO_MANY_REQUESTS == REFUSED
