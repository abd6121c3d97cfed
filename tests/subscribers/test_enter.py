"""Whoever confirms is entered: once, with what they gave, also while they are just leaving."""

import asyncio

from sqlalchemy import text
from sqlmodel import select

from newsletter.addresses import read_address
from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, erase_person
from newsletter.installation import Installation
from newsletter.subscribers.actions import enter
from newsletter.subscribers.tables import Subscriber
from tests.support.waiting import eventually_async

KARI = read_address("kari@example.com")
GIVEN = {"given_name": "Kari", "title": "Editor"}


async def entered(installation: Installation, details: dict[str, str | None], language: str = "nb") -> Subscriber:
    """Enter Kari."""
    async with installation.database.write() as session:
        return await enter(session, installation.clock, KARI, language, details)


async def test_entering_twice_is_one_person(installation: Installation) -> None:
    first = await entered(installation, dict(GIVEN))
    again = await entered(installation, {"given_name": None, "title": "Owner", "employer": "Example AS"}, "en")
    assert again.id == first.id
    assert (again.given_name, again.title, again.employer) == ("Kari", "Owner", "Example AS")
    assert again.language == "en"


async def test_entering_many_times_at_once_is_one_person(installation: Installation) -> None:
    people = await asyncio.gather(*(entered(installation, dict(GIVEN)) for _ in range(8)))
    assert len({person.id for person in people}) == 1


async def test_who_is_just_leaving_is_entered_anew(installation: Installation) -> None:
    """The deletion holds the lock, the confirmation waits for it: then there is nobody left to find."""
    old = await entered(installation, dict(GIVEN))
    async with installation.database.write() as session:
        await session.exec(select(Subscriber.id).where(Subscriber.id == old.id).with_for_update())
        coming_back = asyncio.create_task(entered(installation, {"given_name": "Kari"}))
        if not installation.database.on_sqlite:  # There, one writer waits for the other in any case.
            await eventually_async(lambda: _somebody_waits(installation))
        await erase_person(session, installation, old.id, Cause.ERASED, Origin("subject", "page"))
    new = await coming_back
    assert new.id != old.id
    assert (new.given_name, new.title) == ("Kari", None)


async def _somebody_waits(installation: Installation) -> bool:
    async with installation.database.read() as session:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool((await session.execute(waiting)).scalar_one())
