"""A notice is written as a draft, put in force by whoever has seen it, and from then on never changes (RULES A6)."""

from datetime import timedelta

import pytest

from newsletter.agreements.notices import actions as notices
from newsletter.agreements.notices import drafts
from newsletter.agreements.notices.versions import Standing, find_version, versions
from newsletter.agreements.tables import Notice
from newsletter.clock import TurnedClock
from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from tests.agreements.notices.test_notices import opened

WORDS = {"label": "Ja takk", "text": "**Helt nytt**"}


async def write(installation: Installation, newsletter: Newsletter, **words: str) -> str:
    """Keep a draft in bokmål; give its hash."""
    async with installation.database.write() as session:
        draft = await drafts.save(session, installation, newsletter.id, "nb", WORDS | words)
        return drafts.wording_of(draft).hash


async def publish(installation: Installation, newsletter: Newsletter, seen: str, days: int = 0) -> Notice:
    """Put the draft in force that has that hash, now or in so many days."""
    valid_from = installation.clock.now() + timedelta(days=days)
    async with installation.database.write() as session:
        return await drafts.put_draft_in_force(
            session, installation, newsletter.id, "nb", seen=seen, valid_from=valid_from, material=True
        )


async def test_a_draft_begins_with_what_is_in_force_and_nobody_is_shown_it(installation: Installation) -> None:
    weekly = await opened(installation)
    async with installation.database.read() as session:
        begun = await drafts.begin_with(session, installation, weekly.id, "nb")
        before = (await notices.in_force(session, weekly.id, installation.clock.now()))["nb"]
    assert begun.hash == before.hash
    seen = await write(installation, weekly)
    async with installation.database.read() as session:
        assert (await notices.in_force(session, weekly.id, installation.clock.now()))["nb"].hash == before.hash
        assert await notices.find(session, seen) is None


async def test_what_was_not_seen_is_not_put_in_force(installation: Installation, clock: TurnedClock) -> None:
    weekly = await opened(installation)
    seen = await write(installation, weekly)
    await write(installation, weekly, text="Changed behind the editor's back.")
    clock.turn(clock.now() + timedelta(minutes=1))
    with pytest.raises(Conflict, match="since you opened the page"):
        await publish(installation, weekly, seen)
    put = await publish(installation, weekly, await write(installation, weekly))
    assert put.hash == seen
    clock.turn(clock.now() + timedelta(minutes=1))
    # The very words that are in force are no new notice.
    with pytest.raises(Conflict, match="anyway"):
        await publish(installation, weekly, await write(installation, weekly))


async def test_a_planned_notice_waits_for_its_day_and_can_be_taken_back(
    installation: Installation, clock: TurnedClock
) -> None:
    weekly = await opened(installation)
    planned = await publish(installation, weekly, await write(installation, weekly), days=10)
    for days, standing in ((9, Standing.PLANNED), (11, Standing.IN_FORCE)):
        at = installation.clock.now() + timedelta(days=days)
        async with installation.database.read() as session:
            found = await versions(session, weekly.id, at)
            in_force = (await notices.in_force(session, weekly.id, at))["nb"].hash
            assert await notices.has_shown(session, weekly.id, planned.hash, at) is (standing is Standing.IN_FORCE)
        assert find_version(found, planned.hash).standing is standing
        assert find_version(found, "current", "nb").notice.hash == in_force
        assert (in_force == planned.hash) is (standing is Standing.IN_FORCE)
    async with installation.database.write() as session:
        found = await versions(session, weekly.id, clock.now())
        use_id = find_version(found, planned.hash).use.id
        await drafts.take_back(session, installation, weekly.id, use_id)
    async with installation.database.write() as session:
        assert (await drafts.begin_with(session, installation, weekly.id, "nb")).hash == planned.hash
        with pytest.raises(NotFound):
            await drafts.take_back(session, installation, weekly.id, use_id)
    now_in_force = await publish(installation, weekly, planned.hash)
    clock.turn(clock.now() + timedelta(days=1))
    async with installation.database.write() as session:
        found = await versions(session, weekly.id, clock.now())
        with pytest.raises(Conflict, match="in force already"):
            await drafts.take_back(session, installation, weekly.id, find_version(found, now_in_force.hash).use.id)


@pytest.mark.parametrize(
    "words", [{"label": ""}, {"label": "x" * 501}, {"label": "a\nb"}, {"text": " \n"}, {"text": "x" * 20_001}]
)
def test_a_draft_without_its_words_is_refused_beside_its_field(words: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        drafts.read_draft(WORDS | words)
    assert list(refused.value.fields) == list(words)
