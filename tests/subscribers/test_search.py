"""Finding subscribers by address or by the beginning of a name; pages of fifty, nobody twice and nobody left out."""

from collections.abc import Callable

import pytest

from newsletter.addresses import read_address
from newsletter.signup.search import People, search
from newsletter.subscribers.actions import enter, subscribe
from tests.signup.site import Site


async def find(site: Site, text: str, after: str | None = None) -> People:
    """Search the newsletter."""
    async with site.installation.database.read() as session:
        return await search(session, site.weekly.id, text, after)


FOUND: dict[str, set[str]] = {
    "": {"alice@example.com", "Åse@example.org", "bob@example.com"},
    "ALICE@example.com": {"alice@example.com"},
    "åse@EXAMPLE.org": {"Åse@example.org"},
    "example.org": {"Åse@example.org"},
    "  bob ": {"bob@example.com"},
    "ali": {"alice@example.com"},
    "øde": {"Åse@example.org"},
    "ØDEGÅRD": {"Åse@example.org"},
    "åse": {"Åse@example.org"},
    "100%": {"alice@example.com"},
    "100%_b": {"alice@example.com"},
    "%": set(),
    "_": set(),
    "carol@example.com": set(),
    "' OR 1=1 --": set(),
    "x" * 10_000: set(),
}


@pytest.fixture
async def cast(site: Site) -> Site:
    """Alice and Åse are subscribed, Bob is pending, Carol reads another newsletter."""
    await site.open("monthly")
    await site.subscribe("alice@example.com", given_name="Alice", employer="100%_Books")
    await site.subscribe("Åse@example.org", given_name="Åse", family_name="Ødegård")
    await site.ask("bob@example.com", given_name="Bob")
    await site.subscribe("carol@example.com", "monthly", given_name="Carol")
    return site


@pytest.mark.parametrize("way", [str, str.upper])
async def test_people_are_found(cast: Site, way: Callable[[str], str]) -> None:
    for text, found in FOUND.items():
        assert {person.email for person in (await find(cast, way(text))).items} == found, text


async def test_states_are_told_apart(cast: Site) -> None:
    states = {person.email: person.state for person in (await find(cast, "")).items}
    assert states == {"alice@example.com": "active", "Åse@example.org": "active", "bob@example.com": "pending"}


async def test_pages_hold_everybody_once(site: Site) -> None:
    everybody = [f"reader{number}@example.com" for number in range(101)]
    async with site.installation.database.write() as session:
        for email in everybody:
            subscriber = await enter(session, site.installation.clock, read_address(email), "nb", {})
            await subscribe(session, site.installation.clock, subscriber.id, site.weekly.id)
    pages = [await find(site, "")]
    while pages[-1].next:
        pages.append(await find(site, "", pages[-1].next))
    assert [len(page.items) for page in pages] == [50, 50, 1]
    assert sorted(person.email for page in pages for person in page.items) == sorted(everybody)
