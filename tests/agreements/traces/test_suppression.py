"""A suppressed address comes back by its owner alone (RULES C4, P7)."""

import pytest

from newsletter.agreements.ending import Cause
from newsletter.agreements.traces.suppression import suppress, suppressed
from newsletter.installation import Installation
from newsletter.newsletters.actions import by_slug
from tests.agreements.leaving import People

CAROL, DAVE, ERIN = "carol@example.com", "dave@example.com", "erin@example.com"


@pytest.fixture
async def people(installation: Installation) -> People:
    """Give people with two newsletters."""
    cast = People(installation)
    await cast.open("weekly", "monthly")
    return cast


async def barred(people: People, slug: str | None = "weekly") -> set[str]:
    """Give whom an import may not bring to a newsletter."""
    async with people.installation.database.read() as session:
        newsletter_id = (await by_slug(session, slug)).id if slug else None
        return await suppressed(session, people.installation, [CAROL, DAVE, ERIN], newsletter_id)


async def test_who_complained_is_barred_from_every_newsletter_until_they_confirm_anew(people: People) -> None:
    await people.agree(CAROL)
    await people.end(CAROL, Cause.COMPLAINED)
    await people.agree(DAVE)
    assert await barred(people) == await barred(people, "monthly") == await barred(people, None) == {CAROL}
    token = await people.ask(CAROL)
    assert await barred(people) == {CAROL}, "to ask is not yet to confirm"
    assert token
    await people.agree(CAROL)
    assert await people.there() == {CAROL: ["weekly"], DAVE: ["weekly"]}


async def test_who_left_lately_is_not_brought_back_by_an_import(people: People) -> None:
    await people.agree(CAROL)
    await people.agree(CAROL, "monthly")
    await people.end(CAROL)
    assert await barred(people) == {CAROL}
    assert await barred(people, "monthly") == set()


async def test_a_previous_tools_list_bars_by_newsletter_or_from_all(people: People) -> None:
    installation = people.installation
    async with installation.database.write() as session:
        weekly = (await by_slug(session, "weekly")).id
        assert await suppress(session, installation, [CAROL, DAVE], "withdrawn", weekly) == 2
        assert await suppress(session, installation, [CAROL], "withdrawn", weekly) == 0
        assert await suppress(session, installation, [ERIN], "dead") == 1
    assert await barred(people) == {CAROL, DAVE, ERIN}
    assert await barred(people, "monthly") == {ERIN}


async def test_many_are_asked_for_at_once(people: People) -> None:
    many = [f"reader{number}@example.com" for number in range(50_000)]
    async with people.installation.database.write() as session:
        assert await suppress(session, people.installation, many[::2], "withdrawn") == 25_000
    async with people.installation.database.read() as session:
        assert await suppressed(session, people.installation, many) == set(many[::2])
