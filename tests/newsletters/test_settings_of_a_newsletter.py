"""Making a newsletter: its short name, its sender, its language."""

import asyncio

import pytest

from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.installation import Installation
from newsletter.newsletters import actions

GOOD = {"name": "Weekly news", "sender": "Weekly <weekly@example.com>"}


async def test_a_newsletter_is_found_by_its_short_name(installation: Installation) -> None:
    async with installation.database.write() as session:
        made = await actions.create(session, installation.clock, "weekly-news", GOOD)
    async with installation.database.read() as session:
        found = await actions.by_slug(session, "weekly-news")
        assert [each.slug for each in await actions.on_offer(session)] == ["weekly-news"]
    assert (found.id, found.name) == (made.id, "Weekly news")
    assert (found.sender_name, found.sender_address) == ("Weekly", "weekly@example.com")
    assert (found.language, found.measurement) == ("nb", "anonymous")


async def test_a_short_name_is_given_once(installation: Installation) -> None:
    async with installation.database.write() as session:
        await actions.create(session, installation.clock, "weekly", GOOD)
    async with installation.database.write() as session:
        with pytest.raises(Conflict) as refused:
            await actions.create(session, installation.clock, "weekly", GOOD)
    assert list(refused.value.fields) == ["slug"]


async def test_of_two_at_once_one_gets_the_short_name(installation: Installation) -> None:
    async def make() -> str:
        async with installation.database.write() as session:
            return (await actions.create(session, installation.clock, "weekly", GOOD)).slug

    made = await asyncio.gather(*(make() for _ in range(4)), return_exceptions=True)
    assert made.count("weekly") == 1
    assert [type(other) for other in made if other != "weekly"] == [Conflict] * 3


@pytest.mark.parametrize(
    "slug", ["", "Weekly", "-a", "a-", "a--b", "a b", "a/b", "..", "å", "a" * 65, "a\n", "a\0", "\ud800"]
)
async def test_a_short_name_that_is_none_is_refused_and_never_found(
    sqlite_installation: Installation, slug: str
) -> None:
    async with sqlite_installation.database.write() as session:
        with pytest.raises(InvalidInput) as refused:
            await actions.create(session, sqlite_installation.clock, slug, GOOD)
        with pytest.raises(NotFound):
            await actions.by_slug(session, slug)
    assert list(refused.value.fields) == ["slug"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " "),
        ("name", "x" * 101),
        ("name", "a\r\nBcc: eve@example.com"),
        ("name", "\u202eirak"),
        ("description", "x" * 501),
        ("description", "a\nb"),
        ("sender", ""),
        ("sender", "Weekly"),
        ("sender", "Weekly <weekly>"),
        ("sender", "Weekly <weekly@example.com>\r\nBcc: eve@example.com"),
        ("sender", f"{'x' * 101} <weekly@example.com>"),
        ("language", "sv"),
        ("language", ""),
        ("measurement", "personal"),
        ("measurement", "everything"),
    ],
)
def test_what_won_t_do_is_said_of_its_field(field: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        actions.read_settings(GOOD | {field: value})
    assert list(refused.value.fields) == [field]
    assert refused.value.fields[field].endswith(".")


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        actions.read_settings({"name": "", "sender": "x", "language": "sv"})
    assert sorted(refused.value.fields) == ["language", "name", "sender"]


@pytest.mark.parametrize(
    ("typed", "name", "address"),
    [
        ("weekly@example.com", "", "weekly@example.com"),
        ("Weekly <weekly@EXAMPLE.com>", "Weekly", "weekly@example.com"),
        ('"Bær, frukt & sånt" <weekly@example.com>', "Bær, frukt & sånt", "weekly@example.com"),
    ],
)
def test_a_sender_is_a_name_and_an_address(typed: str, name: str, address: str) -> None:
    assert actions.read_sender(typed) == (name, address)


def test_norwegian_is_bokmal() -> None:
    assert actions.read_settings({"language": "no"}) == {"language": "nb"}
