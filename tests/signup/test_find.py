"""An editor finds people, those who wait for their mailbox among them."""

from newsletter.installation import Installation
from newsletter.newsletters.actions import by_slug
from newsletter.signup.search import search
from tests.signup.site import Site


async def found(installation: Installation, text: str) -> list[tuple[str, str]]:
    async with installation.database.read() as session:
        weekly = await by_slug(session, "weekly")
        people = await search(session, weekly.id, text)
    return [(person.email, person.state) for person in people.items]


async def test_bob_who_waits_is_found_by_his_name_and_once(installation: Installation, site: Site) -> None:
    await site.ask("bob@example.com", given_name="Bob")
    await site.ask("bob@example.com", given_name="Bobby")
    await site.ask("nobob@example.com", given_name="Carol")
    assert await found(installation, "bobb") == [("bob@example.com", "pending")]
    assert len(await found(installation, "bob")) == 2


async def test_a_whole_address_finds_that_one_alone(installation: Installation, site: Site) -> None:
    await site.ask("ola@example.com")
    await site.ask("nola@example.com")
    assert await found(installation, "Ola@Example.com") == [("ola@example.com", "pending")]


async def test_alice_who_is_subscribed_and_asks_again_is_no_second_person(
    installation: Installation, site: Site
) -> None:
    await site.subscribe("alice@example.com")
    await site.ask("alice@example.com")
    assert await found(installation, "alice") == [("alice@example.com", "active")]
