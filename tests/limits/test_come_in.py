"""Requests that cause mail, from one network: so many, then a friendly no, for all processes together (RULES H1)."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import select

from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from newsletter.limits.tables import LimitBucket
from newsletter.signup.tables import SignupRequest
from newsletter.tokens import Keyring
from tests.limits.crowd import Crowd, crowded, statuses

FEW: dict[str, Any] = {"limit_network": 3, "limit_network_wide": 5}


async def test_so_many_from_an_address_and_from_its_network(installation: Installation, clock: TurnedClock) -> None:
    async with crowded(installation, clock, **FEW) as crowd:
        own = [await crowd.sign_up(f"a{n}@example.com", "203.0.113.7") for n in range(6)]
        near = [await crowd.sign_up(f"b{n}@example.com", "203.0.113.8") for n in range(6)]
        far = [await crowd.sign_up(f"c{n}@example.com", "203.0.114.8") for n in range(3)]
        assert [statuses(each) for each in (own, near, far)] == [{202: 3, 429: 3}, {202: 2, 429: 4}, {202: 3}]
        assert len(await crowd.site.all(SignupRequest)) == 8


@pytest.mark.parametrize("of_a_house", ["2001:db8:1:2300::1", "2001:db8:1:2300:ffff::1"])
async def test_a_house_with_ipv6_is_one_network(
    sqlite_installation: Installation, clock: TurnedClock, of_a_house: str
) -> None:
    async with crowded(sqlite_installation, clock, **FEW) as crowd:
        for number in range(3):
            assert (await crowd.sign_up(f"a{number}@example.com", "2001:db8:1:2300::7")).status_code == 202
        assert (await crowd.sign_up("kari@example.com", of_a_house)).status_code == 429
        assert (await crowd.sign_up("kari@example.com", "2001:db8:1:2301::7")).status_code == 202


async def test_all_kinds_count_together(installation: Installation, clock: TurnedClock) -> None:
    async with crowded(installation, clock, **FEW) as crowd:
        assert (await crowd.sign_up("a@example.com")).status_code == 202
        assert (await crowd.ask_for_my_page("b@example.com")).status_code == 303
        assert (await _form(crowd)).status_code == 303
        refused = [
            await crowd.sign_up("d@example.com"),
            await crowd.ask_for_my_page("d@example.com"),
            await _form(crowd),
        ]
        assert statuses(refused) == {429: 3}


async def _form(crowd: Crowd) -> httpx.Response:
    values = {"email": "c@example.com", "agreed": "true", "notice": await crowd.site.form_token()}
    headers = {"x-forwarded-for": "203.0.113.7", "accept-language": "nb"}
    return await crowd.site.http.post("/newsletters/weekly/signup", data=values, headers=headers)


async def test_a_program_is_told_when_to_come_again(installation: Installation, clock: TurnedClock) -> None:
    async with crowded(installation, clock, **FEW) as crowd:
        *_, answer = [await crowd.sign_up(f"a{number}@example.com") for number in range(4)]
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 429
        seconds = int(answer.headers["retry-after"])
        assert seconds == 1200
        crowd.turn(seconds=seconds - 2)
        assert (await crowd.sign_up("kari@example.com")).status_code == 429
        crowd.turn(seconds=2)
        assert (await crowd.sign_up("kari@example.com")).status_code == 202


async def test_a_person_is_told_in_their_language(installation: Installation, clock: TurnedClock) -> None:
    async with crowded(installation, clock, limit_network=1) as crowd:
        await _form(crowd)
        answer = await _form(crowd)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
        assert "Vent litt" in answer.text
        assert "c@example.com" not in answer.text


async def test_what_causes_no_mail_is_not_counted(installation: Installation, clock: TurnedClock) -> None:
    async with crowded(installation, clock, **FEW) as crowd:
        for _ in range(5):
            assert (await crowd.sign_up("nobody")).status_code == 422
            assert (await crowd.ask_for_my_page("nobody")).status_code == 422
            assert (await crowd.site.http.get("/newsletters/weekly")).status_code == 200
        assert (await crowd.sign_up("kari@example.com")).status_code == 202


async def test_two_processes_share_a_limit_and_a_new_one_knows_it(
    installation: Installation, clock: TurnedClock
) -> None:
    async with crowded(installation, clock, **FEW) as one:
        async with crowded(installation, clock, there_already=True, **FEW) as other:
            answers = [await crowd.sign_up(f"a{n}@example.com") for n in range(4) for crowd in (one, other)]
            assert statuses(answers) == {202: 3, 429: 5}
        async with crowded(installation, clock, there_already=True, **FEW) as third:
            assert (await third.sign_up("kari@example.com")).status_code == 429


async def test_a_clock_that_is_turned_back_opens_nothing(installation: Installation, clock: TurnedClock) -> None:
    async with crowded(installation, clock, **FEW) as crowd:
        crowd.turn(hours=2)
        assert statuses([await crowd.sign_up(f"a{n}@example.com") for n in range(4)]) == {202: 3, 429: 1}
        crowd.turn(hours=-1)
    async with crowded(installation, clock, there_already=True, **FEW) as crowd:
        assert (await crowd.sign_up("kari@example.com")).status_code == 429


async def test_many_at_the_same_moment_are_as_many(installation: Installation, clock: TurnedClock) -> None:
    async with crowded(installation, clock, **FEW) as crowd:
        answers = await asyncio.gather(*(crowd.sign_up(f"a{n}@example.com") for n in range(40)))
        assert statuses(list(answers)) == {202: 3, 429: 37}
        assert len(await crowd.site.all(SignupRequest)) == 3


async def test_no_header_is_believed_of_a_stranger(installation: Installation, clock: TurnedClock) -> None:
    async with crowded(installation, clock, trusted_proxies="", **FEW) as crowd:
        answers = [
            await crowd.sign_up(f"a{n}@example.com", f"198.51.{n}.1", forwarded=f"for=192.0.{n}.1") for n in range(6)
        ]
        assert statuses(answers) == {202: 3, 429: 3}


async def test_without_limits_everybody_comes_in(sqlite_installation: Installation, clock: TurnedClock) -> None:
    async with crowded(sqlite_installation, clock, rate_limits="off", **FEW) as crowd:
        assert statuses([await crowd.sign_up(f"a{n}@example.com") for n in range(9)]) == {202: 9}
        assert await crowd.site.all(LimitBucket) == []


async def test_nothing_that_is_kept_names_a_network(installation: Installation, clock: TurnedClock) -> None:
    async with crowded(installation, clock) as crowd:
        await crowd.sign_up("kari@example.com", "203.0.113.77")
        assert "203.0.113" not in repr(await crowd.site.rows())
        async with crowd.site.installation.database.read() as session:
            assert len((await session.exec(select(LimitBucket))).all()) == 2


async def test_a_limit_goes_on_where_the_root_secret_changes_and_where_a_month_ends(
    installation: Installation, clock: TurnedClock
) -> None:
    month = timedelta(days=30).total_seconds()
    clock.turn(datetime.fromtimestamp((clock.now().timestamp() // month + 1) * month - 1, UTC))
    async with crowded(installation, clock, **FEW) as crowd:
        assert statuses([await crowd.sign_up(f"a{n}@example.com") for n in range(4)]) == {202: 3, 429: 1}
    clock.turn(clock.now() + timedelta(seconds=2))
    async with crowded(installation, clock, there_already=True, **FEW) as crowd:
        assert (await crowd.sign_up("kari@example.com")).status_code == 429
    keys = Keyring(b"another root secret, for the tests", installation.keys.root)
    rotated = {"secret_key_previous": installation.keys.root.decode()}
    async with crowded(replace(installation, keys=keys), clock, there_already=True, **FEW, **rotated) as crowd:
        assert (await crowd.sign_up("kari@example.com")).status_code == 429
