"""Finding subscribers by address or by the beginning of a name; pages of fifty, nobody twice and nobody left out."""

import pytest

from newsletter.signup.search import People, search
from tests.signup.site import Site


async def find(site: Site, text: str, after: str | None = None) -> People:
    """Search the newsletter."""
    async with site.installation.database.read() as session:
        return await search(session, site.weekly.id, text, after)


@pytest.fixture
async def cast(site: Site) -> Site:
    """Alice and Åse are subscribed, Bob is pending, Carol reads another newsletter."""
    await site.open("monthly")
    await site.subscribe("alice@example.com", given_name="Alice", employer="100%_Books")
    await site.subscribe("Åse@example.org", given_name="Åse", family_name="Ødegård")
    await site.ask("bob@example.com", given_name="Bob")
    await site.subscribe("carol@example.com", "monthly", given_name="Carol")
    return site


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {"alice@example.com", "Åse@example.org", "bob@example.com"}),
        ("ALICE@example.com", {"alice@example.com"}),
        ("åse@EXAMPLE.org", {"Åse@example.org"}),
        ("example.org", {"Åse@example.org"}),
        ("  bob ", {"bob@example.com"}),
        ("ali", {"alice@example.com"}),
        ("øde", {"Åse@example.org"}),
        ("ØDEGÅRD", {"Åse@example.org"}),
        ("åse", {"Åse@example.org"}),
        ("100%", {"alice@example.com"}),
        ("100%_b", {"alice@example.com"}),
        ("%", set()),
        ("_", set()),
        ("carol@example.com", set()),
        ("' OR 1=1 --", set()),
        ("x" * 10_000, set()),
    ],
)
async def test_people_are_found(cast: Site, text: str, found: set[str]) -> None:
    assert {person.email for person in (await find(cast, text)).items} == found


async def test_states_are_told_apart(cast: Site) -> None:
    states = {person.email: person.state for person in (await find(cast, "")).items}
    assert states == {"alice@example.com": "active", "Åse@example.org": "active", "bob@example.com": "pending"}


async def test_pages_hold_everybody_once(sqlite_site: Site) -> None:
    everybody = [f"reader{number}@example.com" for number in range(101)]
    for email in everybody:
        await sqlite_site.subscribe(email)
    seen, after, pages = [], None, 0
    while pages < 10:
        people = await find(sqlite_site, "", after)
        seen += [person.email for person in people.items]
        after, pages = people.next, pages + 1
        if after is None:
            break
    assert pages == 3
    assert sorted(seen) == sorted(everybody)
