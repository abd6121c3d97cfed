"""Whom a breach would touch: how many, with which data, of which newsletter (GDPR art. 33)."""

from newsletter import schema
from newsletter.addresses import read_address
from newsletter.agreements.actions import Origin
from newsletter.agreements.notices import actions as notices
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.personal import Category, declarations
from newsletter.privacy import breach
from newsletter.rights.my import choices
from newsletter.signup.actions import Asked, ask
from newsletter.signup.rules import FIELDS, Signup
from tests.delivery.cast import found, people, subscribe


async def asked(installation: Installation, newsletter: Newsletter, email: str) -> None:
    async with installation.database.write() as session:
        notice = (await notices.in_force(session, newsletter.id, installation.clock.now()))["en"]
        signup = Signup(read_address(email), "en", dict.fromkeys(FIELDS))
        await ask(session, installation, newsletter, signup, Asked(notice, True, Origin("subject", "form"), 72))


async def test_people_and_data_are_counted_for_each_newsletter_by_itself(installation: Installation) -> None:
    books, films = await found(installation), await found(installation, "films")
    await subscribe(installation, books, people(7))
    await subscribe(installation, films, people(2))  # two of them read both
    await asked(installation, books, "new@example.com")
    async with installation.database.read() as session:
        of_books = await breach.touched_by(session, books.id)
        of_films = await breach.touched_by(session, films.id)
    assert (of_books.active, of_books.pending, of_films.active, of_films.pending) == (7, 1, 2, 0)
    rows = {line.column: line.rows for line in of_books.data}
    assert rows["subscriber.email"] == rows["subscriber.given_name"] == 7
    assert rows["signup_request.email"] == 1
    assert "subscriber.family_name" not in rows  # nobody gave one
    assert {line.column: line.rows for line in of_films.data}["subscriber.email"] == 2
    assert Category.ACCOUNT not in {line.category for line in of_books.data}


async def test_tags_of_those_who_left_are_counted_too(installation: Installation) -> None:
    books = await found(installation)
    await subscribe(installation, books, people(1))
    async with installation.database.write() as session:
        await choices.erase(session, installation, people(1)[0], Origin("subject", "my page"))
    async with installation.database.read() as session:
        touched = await breach.touched_by(session, books.id)
    assert touched.active == 0
    assert {line.column: line.rows for line in touched.data}["tombstone.tag"] == 1


async def test_the_list_names_everybody_once(installation: Installation) -> None:
    books = await found(installation)
    await subscribe(installation, books, people(3))
    await asked(installation, books, "new@example.com")
    listed = [row async for rows in breach.people(installation, books.id) for row in rows]
    assert sorted(listed) == [
        ("new@example.com", "en", "not confirmed"),
        *((email, "en", "subscribed") for email in people(3)),
    ]


def test_what_hangs_on_a_person_is_told_apart_by_newsletter() -> None:
    shared = {
        column.table.name
        for column, said in declarations(schema.METADATA)
        if said.category is not Category.ACCOUNT and breach.belonging(column.table, "x") is None
    }
    # What strangers may cause is counted for all newsletters together.
    assert shared == {"limit_address", "limit_bucket"}
