"""A database that comes back from the past learns from the tombstones what happened since (RULES C2, promise P2)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from newsletter.agreements.ending import Cause
from newsletter.agreements.traces import tombstones
from newsletter.agreements.traces.tables import Receipt, Suppression, Tombstone
from newsletter.agreements.traces.tombstones import Kind, Lookout, file_of
from newsletter.backup.returning import Returning
from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from newsletter.rights.my import choices
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import MeasurementChoice, Subscriber
from tests.agreements.leaving import PAGE, People, copied
from tests.support.postgresql import PostgreSQL

KARI, OLA, EVA, PER, ANN = (f"{name}@example.com" for name in ("kari", "ola", "eva", "per", "ann"))


@pytest.fixture
async def people(installation: Installation) -> People:
    """Give five people with a newsletter, of whom Kari has two."""
    cast = People(installation)
    await cast.open("weekly", "monthly")
    for email in (KARI, OLA, EVA, PER, ANN):
        await cast.agree(email)
    await cast.agree(KARI, "monthly")
    return cast


@pytest.fixture
def server(request: pytest.FixtureRequest, database_kind: str) -> PostgreSQL | None:
    """Give the server to copy databases on; None where the database is a file."""
    return request.getfixturevalue("postgresql") if database_kind == "postgresql" else None


@asynccontextmanager
async def back_then(people: People, server: PostgreSQL | None, folder: Path) -> AsyncIterator[People]:
    """Give the people on a copy of the database as it is now, on which nothing that follows happens."""
    async with copied(people.installation, server, folder) as installation:
        yield People(installation)


async def later(people: People, clock: TurnedClock) -> None:
    """Kari leaves one of two, Ola leaves, Eva is restricted, Per refuses to be measured, Ann leaves and comes back."""
    clock.turn(clock.now() + timedelta(days=2))
    installation = people.installation
    ids = {person.canonical: person.id for person in await people.rows(Subscriber)}
    await people.end(KARI)
    await people.erase(OLA, Cause.COMPLAINED)
    await people.erase(ANN)
    async with installation.database.write() as session:
        await choices.restrict(session, installation, ids[EVA], PAGE)
        await choices.choose_measurement(session, installation, ids[PER], MeasurementChoice.REFUSED)
    clock.turn(clock.now() + timedelta(days=1))
    await people.agree(ANN, "monthly")
    assert await tombstones.file_new(installation) == 5
    assert await tombstones.file_new(installation) == 0


async def test_an_older_database_brings_nobody_back(
    people: People, server: PostgreSQL | None, tmp_path: Path, clock: TurnedClock
) -> None:
    await people.ask(OLA, "monthly")
    async with back_then(people, server, tmp_path) as old:
        await later(people, clock)
        assert OLA in await old.there()

        await Returning(old.installation).begin()

        assert await old.there() == {EVA: ["weekly"], KARI: ["monthly"], PER: ["weekly"]}
        found = {person.canonical: person for person in await old.rows(Subscriber)}
        assert found[EVA].restricted_at is not None
        assert found[PER].measurement == MeasurementChoice.REFUSED
        assert [request.canonical for request in await old.rows(SignupRequest) if request.canonical] == []
        assert sorted(row.outcome for row in await old.rows(Receipt)) == ["complained", "erased"]
        assert len(await old.rows(Suppression)) == 1
        again = [await old.there(), await old.rows(Tombstone)]
        await Returning(old.installation).begin()
        assert [await old.there(), await old.rows(Tombstone)] == again, "a second time does nothing"
        assert await tombstones.file_new(old.installation) == 0


async def test_who_came_back_before_the_database_did_stays(people: People, clock: TurnedClock) -> None:
    """The file is newer than the table alone, as where only the tombstones of a database were lost."""
    await people.end(KARI)
    await people.erase(OLA)
    await tombstones.file_new(people.installation)
    clock.turn(clock.now() + timedelta(hours=1))
    for email in (KARI, OLA):
        await people.agree(email)
    async with people.installation.database.write() as session:
        await session.execute(delete(Tombstone))
    await Returning(people.installation).begin()
    there = await people.there()
    assert (there[KARI], there[OLA]) == (["monthly", "weekly"], ["weekly"])
    assert len(await people.rows(Tombstone)) == 2


async def test_a_changed_address_does_not_hide_anybody(
    people: People, server: PostgreSQL | None, tmp_path: Path, clock: TurnedClock
) -> None:
    async with back_then(people, server, tmp_path) as old:
        clock.turn(clock.now() + timedelta(days=1))
        async with people.installation.database.write() as session:
            (person,) = [one for one in await people.rows(Subscriber) if one.canonical == OLA]
            moved = await session.get_one(Subscriber, person.id)
            moved.email = moved.canonical = "ola@example.org"
        await people.erase("ola@example.org")
        await tombstones.file_new(people.installation)
        await Returning(old.installation).begin()
        assert OLA not in await old.there()


async def test_whether_the_database_is_behind_is_known_at_once(
    people: People, server: PostgreSQL | None, tmp_path: Path
) -> None:
    """One look each second: a worker that runs on sees it when the database is changed under it."""
    async with back_then(people, server, tmp_path) as old:
        here, there = Lookout(people.installation), Lookout(old.installation)
        seen = []
        for filed in (False, True):
            if filed:
                await tombstones.file_new(people.installation)
            else:
                await people.erase(OLA)
            async with people.installation.database.read() as new, old.installation.database.read() as past:
                seen.append((await here.is_behind(new), await there.is_behind(past)))
        assert seen == [(False, False), (False, True)]
        await Returning(old.installation).catch_up()
        assert OLA not in await old.there()


async def test_the_file_forgets_with_the_table(people: People, clock: TurnedClock) -> None:
    await people.erase(OLA)
    await tombstones.file_new(people.installation)
    clock.turn(clock.now() + timedelta(days=20))
    await people.erase(EVA)
    await tombstones.file_new(people.installation)
    file = people.installation.settings.tombstones
    assert len(file.read_text().splitlines()) == 2
    clock.turn(clock.now() + timedelta(days=20))
    async with people.installation.database.write() as session:
        assert await tombstones.purge_expired(session, people.installation) == 1
    assert len(file.read_text().splitlines()) == len(await people.rows(Tombstone)) == 1


async def test_a_line_that_is_cut_off_or_not_ours_is_passed_over(people: People, clock: TurnedClock) -> None:
    installation = people.installation
    await people.erase(OLA)
    await tombstones.file_new(installation)
    file = installation.settings.tombstones
    line = file.read_text()
    file.write_text(line + line.replace(Kind.PERSON, Kind.OBJECTION) + line[:100])
    await people.erase(EVA)
    await tombstones.file_new(installation)
    entries = await file_of(installation).entries(clock.now())
    assert [entry.kind for entry in entries] == ["person", "person"]
    newest = file_of(installation).newest(clock.now())
    assert newest is not None
    assert newest.id in {row.id for row in await people.rows(Tombstone)}
    assert "example.com" not in file.read_text()
