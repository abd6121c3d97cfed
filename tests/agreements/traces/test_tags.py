"""Keyed tags: found again by who asks with the address, by nobody else, and not for ever (RULES C5, B2)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.agreements.ending import Cause
from newsletter.agreements.traces import receipts, suppression, tags, tombstones
from newsletter.agreements.traces.tables import Receipt, Suppression, TagEpoch, Tombstone
from newsletter.agreements.traces.tags import HeldTag
from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from newsletter.tokens import Keyring
from tests.agreements.leaving import People

KARI = "kari@example.com"


@pytest.fixture
async def people(installation: Installation) -> People:
    """Give people with a newsletter."""
    cast = People(installation)
    await cast.open("weekly", "monthly")
    return cast


async def held(installation: Installation, email: str = KARI) -> list[HeldTag]:
    """Give the tags that match an address."""
    async with installation.database.read() as session:
        return list(await tags.held_about(session, installation, email))


async def test_whoever_asks_with_the_address_is_told_of_every_tag(people: People) -> None:
    await people.agree(KARI)
    await people.end(KARI, Cause.COMPLAINED)
    found = await held(people.installation)
    assert [(tag.purpose, tag.kind) for tag in found] == [
        ("receipts", "complained"),
        ("suppressions", "complained"),
        ("tombstones", "person"),
    ]
    assert await held(people.installation, "ola@example.com") == []
    rows = [*await people.rows(Receipt), *await people.rows(Suppression), *await people.rows(Tombstone)]
    assert len({row.tag for row in rows}) == 3, "a tag of one kind says nothing about one of another"


async def test_after_a_rotation_of_the_root_secret_old_tags_are_still_found(people: People) -> None:
    await people.agree(KARI)
    await people.end(KARI, Cause.COMPLAINED)
    old = people.installation.keys.root
    rotated = Keyring(b"another root secret, of the year after", old)
    assert len(await held(replace(people.installation, keys=rotated))) == 3
    assert await held(replace(people.installation, keys=Keyring(rotated.root))) == []


async def test_tags_and_their_salts_go_when_their_time_is_over(people: People, clock: TurnedClock) -> None:
    began = clock.now()
    await people.agree(KARI)
    await people.end(KARI, Cause.COMPLAINED)
    clock.turn(began + timedelta(days=20))
    await people.agree("ola@example.com")
    await people.end("ola@example.com")
    assert len(await people.rows(TagEpoch)) == 3
    after = {32: (2, 1, 2), 37: (2, 1, 1), 91: (1, 1, 0), 112: (0, 1, 0), 1097: (0, 0, 0)}
    for days, left in after.items():
        clock.turn(began + timedelta(days=days))
        for kind in (receipts, suppression, tombstones):
            async with people.installation.database.write() as session:
                due = await kind.count_expired(session, people.installation)
                assert await kind.purge_expired(session, people.installation) == due
        counts = [len(await people.rows(table)) for table in (Receipt, Suppression, Tombstone)]
        assert tuple(counts) == left, days
    assert await people.rows(TagEpoch) == []


async def test_each_month_has_its_own_salt(people: People, clock: TurnedClock) -> None:
    for days in (0, 29, 31):
        clock.turn(clock.now() + timedelta(days=days))
        await people.agree(KARI)
        await people.end(KARI)
    stones = await people.rows(Tombstone)
    assert len({row.epoch_id for row in stones}) == len({row.tag for row in stones}) == 2
