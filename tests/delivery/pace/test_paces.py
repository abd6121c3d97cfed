"""The paces that workers share: what one is granted, the others are not; and only what is limited costs anything."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, func
from sqlmodel import select

from newsletter.delivery.pace import actions as paces
from newsletter.delivery.pace.actions import Business, Grant
from newsletter.delivery.pace.slowing import GOOD_SECONDS, Tally
from newsletter.delivery.pace.tables import Pace, SendingDay
from newsletter.installation import Installation

NOON = 1_793_966_400.0  # 6 November 2026, UTC
SENDER = "news.example.com"
BAD = {"gmail.com": Tally(delivered=3, closing=1, deferred=1), "example.org": Tally(delivered=20)}


def limited(installation: Installation, **settings: Any) -> Installation:
    return replace(installation, settings=installation.settings.model_copy(update=settings))


async def grant(installation: Installation, wanted: dict[str, int], after: float = 0.0, sender: str = SENDER) -> Grant:
    async with installation.database.write() as session:
        return await paces.grant(session, installation, sender, wanted, NOON + after)


async def note(installation: Installation, tallies: dict[str, Tally], after: float = 0.0, took: float = 0.5) -> None:
    async with installation.database.write() as session:
        await paces.note(session, installation, SENDER, tallies, NOON + after, took)


async def rows(installation: Installation) -> int:
    async with installation.database.read() as session:
        return (await session.exec(select(func.count()).select_from(Pace))).one()


@contextmanager
def statements(installation: Installation) -> Iterator[list[str]]:
    """Give the list of the statements that are executed meanwhile."""
    seen: list[str] = []
    engine = installation.database._engine.sync_engine

    def see(*arguments: Any) -> None:
        seen.append(str(arguments[2]).split()[0])

    event.listen(engine, "before_cursor_execute", see)
    yield seen
    event.remove(engine, "before_cursor_execute", see)


async def test_where_nothing_is_limited_all_may_leave_for_one_select(installation: Installation) -> None:
    wanted = {f"domain{number}.example": 3 for number in range(300)}
    with statements(installation) as seen:
        assert await grant(installation, wanted) == Grant(wanted)
        await note(installation, {"gmail.com": Tally(delivered=50)})
    assert [each for each in seen if each not in ("BEGIN", "COMMIT")] == ["SELECT"]
    assert await rows(installation) == 0


async def test_workers_that_ask_in_turn_get_no_more_than_one_would(installation: Installation) -> None:
    slow = limited(installation, domain_pace="gmail.com,googlemail.com=10/s")
    grants = [await grant(slow, {"gmail.com": 20, "googlemail.com": 20, "example.com": 7}) for _ in range(2)]
    assert grants[0].domains == {"gmail.com": 20, "googlemail.com": 20, "example.com": 7}
    assert grants[0].again_at is None
    assert grants[1].domains == {"gmail.com": 10, "googlemail.com": 0, "example.com": 7}
    assert grants[1].again_at is not None
    assert 0 < grants[1].again_at - NOON <= 4
    again = await grant(slow, {"gmail.com": 30}, grants[1].again_at - NOON)
    assert again.domains == {"gmail.com": 30}


async def test_what_was_not_used_is_there_for_others(installation: Installation) -> None:
    slow = limited(installation, domain_pace="*=10/s", hourly_limit=60_000, warm_up=f"{SENDER}=2026-11-06 60 600")
    assert (await grant(slow, {"a.example": 50})).domains == {"a.example": 50}
    async with slow.database.write() as session:
        await paces.give_back(session, slow, SENDER, {"a.example": 30}, NOON)
    assert (await grant(slow, {"a.example": 50})).domains == {"a.example": 30}
    assert (await grant(slow, {"b.example": 50})).domains == {"b.example": 10}, "60 is the day's quota"


async def test_the_hour_and_the_warm_up_are_each_sender_s_own(installation: Installation) -> None:
    slow = limited(installation, hourly_limit=6000, warm_up=f"{SENDER}=2026-11-05 40 1000")
    first = await grant(slow, {"example.com": 70})
    assert first == Grant({"example.com": 70}), "the second day of the plan"
    second = await grant(slow, {"example.com": 70})
    assert (second.domains, second.again_at) == ({"example.com": 10}, NOON + 12 * 3600)
    other = await grant(slow, {"example.com": 170}, sender="example.org")
    assert other.domains == {"example.com": 100}, "a minute's worth"
    assert other.again_at is not None
    assert other.again_at < NOON + 60
    assert (await grant(slow, {"example.com": 70}, 12 * 3600)).domains == {"example.com": 70}
    async with slow.database.read() as session:
        days = {row.day: row.used for row in (await session.exec(select(SendingDay))).all()}
    assert days == {date(2026, 11, 6): 80, date(2026, 11, 7): 70}


async def test_a_domain_that_asks_for_it_is_slowed_down_and_it_alone(installation: Installation) -> None:
    await note(installation, BAD, took=0.1)
    wanted = {"gmail.com": 200, "example.org": 200}
    slowed = await grant(installation, wanted)
    assert slowed.domains == {"gmail.com": 100, "example.org": 200}, "five seconds of half of 40 a second"
    assert slowed.levels == {"gmail.com": 1}
    assert paces.caps(installation.settings, slowed, 10, 1) == {"gmail.com": 5}
    await note(installation, BAD, after=60)
    assert (await grant(installation, wanted, 61)).levels == {"gmail.com": 2}
    assert (await grant(installation, wanted, 60 + GOOD_SECONDS)).levels == {"gmail.com": 1}
    assert await grant(installation, wanted, 60 + 2 * GOOD_SECONDS) == Grant(wanted)
    async with installation.database.write() as session:
        await paces.forget_idle(session, NOON + 60)
        assert (await session.exec(select(func.count()).select_from(Pace))).one() == 1
        await paces.forget_idle(session, NOON + 3 * 3600)
    assert await rows(installation) == 0


async def test_what_is_stored_names_no_domain(installation: Installation) -> None:
    slow = limited(installation, domain_pace="*=10/s", hourly_limit=100)
    await note(slow, {"kari.example": Tally(closing=1)})
    await grant(slow, {"kari.example": 5})
    async with slow.database.read() as session:
        assert [
            row.tag for row in (await session.exec(select(Pace))).all() if "kari" in row.tag or "." in row.tag
        ] == []
    assert await rows(installation) == 2


async def test_workers_at_once_share_and_none_waits_for_another_in_a_circle(installation: Installation) -> None:
    """On PostgreSQL these are transactions side by side; each concerns its own mixture of domains."""
    names = [f"{letter}.example" for letter in "abcdefgh"]
    slow = limited(installation, domain_pace="*=10/s", hourly_limit=1_000_000, warm_up=f"{SENDER}=2026-11-06 1000 1000")
    granted = dict.fromkeys(names, 0)

    async def work(number: int) -> None:
        for step in range(6):
            some = names[number % 8 :: 2] + names[: (number + step) % 8]
            tallies = {some[step % len(some)]: Tally(closing=1), "z.example": Tally(delivered=9)}
            async with slow.database.write() as session:
                business = Business(
                    dict.fromkeys(some, 9), tallies if number == 3 else {}, {some[0]: 1} if step else {}
                )
                given = await paces.turn(session, slow, SENDER, business, NOON)
                await asyncio.sleep(0.002)
            for domain, count in given.domains.items():
                granted[domain] += count
            if step:
                granted[some[0]] -= 1

    await asyncio.wait_for(asyncio.gather(*(work(number) for number in range(8))), 60)
    # Where the rate is halved in between, what is given back is worth up to twice as much.
    assert all(0 <= count <= 50 + 48 for count in granted.values())
    async with slow.database.read() as session:
        assert (await session.exec(select(SendingDay.used))).one() == sum(granted.values())


@pytest.mark.parametrize("wanted", [{"a.example": 0}, {}])
async def test_nothing_wanted_is_nothing_granted(installation: Installation, wanted: dict[str, int]) -> None:
    slow = limited(installation, domain_pace="*=10/s", hourly_limit=100)
    assert await grant(slow, wanted) == Grant(wanted)
