"""Every way to go is one transaction that deletes what is to go and leaves what is to be left (RULES C1–C4)."""

from datetime import timedelta

import pytest

from newsletter.agreements.ending import Cause, Ending
from newsletter.agreements.tables import AgreementEvent
from newsletter.agreements.traces.tables import Receipt, Suppression, Tombstone
from newsletter.clock import TurnedClock
from newsletter.editors import accounts
from newsletter.editors.tables import Editor
from newsletter.installation import Installation
from newsletter.signup.tables import SignupRequest
from tests.agreements.leaving import People

KARI = "kari@example.com"


@pytest.fixture
async def people(installation: Installation) -> People:
    """Give people with two newsletters to choose from."""
    cast = People(installation)
    await cast.open("weekly", "monthly")
    return cast


@pytest.mark.parametrize("cause", list(Cause))
async def test_the_last_subscription_ends_with_the_person(people: People, cause: Cause) -> None:
    await people.agree(KARI)
    await people.ask(KARI, "monthly")
    assert await people.end(KARI, cause) is Ending.PERSON
    assert await people.there() == {}
    assert await people.rows(SignupRequest) == []
    (receipt,) = await people.rows(Receipt)
    assert receipt.outcome == cause
    (tombstone,) = await people.rows(Tombstone)
    assert (tombstone.kind, tombstone.newsletter_id) == ("person", None)
    suppressions = await people.rows(Suppression)
    assert len(suppressions) == (cause in {Cause.COMPLAINED, Cause.NEVER_AGAIN})


@pytest.mark.parametrize(
    ("cause", "event"),
    [(Cause.WITHDRAWN, "withdrawn"), (Cause.OBJECTED, "objected"), (Cause.EXPIRED, "expired")],
)
async def test_one_of_two_ends_and_the_person_stays(people: People, cause: Cause, event: str) -> None:
    await people.agree(KARI)
    await people.agree(KARI, "monthly")
    assert await people.end(KARI, cause) is Ending.SUBSCRIPTION
    assert await people.there() == {KARI: ["monthly"]}
    assert event in [row.kind for row in await people.rows(AgreementEvent)]
    assert await people.rows(Receipt) == []
    (tombstone,) = await people.rows(Tombstone)
    assert tombstone.newsletter_id is not None
    assert tombstone.kind == ("objection" if cause is Cause.OBJECTED else "subscription")


@pytest.mark.parametrize("cause", [Cause.COMPLAINED, Cause.DEAD, Cause.NEVER_AGAIN, Cause.ERASED])
async def test_what_is_about_the_person_ends_everything(people: People, cause: Cause) -> None:
    await people.agree(KARI)
    await people.agree(KARI, "monthly")
    assert await people.end(KARI, cause) is Ending.PERSON
    assert await people.there() == {}
    assert len(await people.rows(Receipt)) == 2


async def test_an_import_can_not_bring_back_whom_it_brought(people: People) -> None:
    """RULES C4: a suppression for that newsletter; for all of them where the person wants to be erased."""
    for email in (KARI, "ola@example.com"):
        await people.agree(email, channel="import")
    await people.end(KARI)
    await people.erase("ola@example.com")
    scopes = [row.newsletter_id for row in await people.rows(Suppression)]
    assert sorted(scope is None for scope in scopes) == [False, True]


async def test_an_editor_who_reads_along_keeps_the_account(people: People) -> None:
    async with people.installation.database.write() as session:
        await accounts.add(session, people.installation.clock, KARI, "Kari", "a long enough password")
    await people.agree(KARI)
    await people.end(KARI)
    assert [editor.email for editor in await people.rows(Editor)] == [KARI]


async def test_a_receipt_tells_days_and_names_nobody(people: People, clock: TurnedClock) -> None:
    await people.agree(KARI)
    given = clock.now()
    clock.turn(given + timedelta(days=40, hours=3))
    await people.end(KARI)
    (receipt,) = await people.rows(Receipt)
    midnight = given.replace(hour=0)
    assert (receipt.given_on, receipt.ended_on) == (midnight, midnight + timedelta(days=40))
    assert receipt.expires_at == midnight + timedelta(days=130)
    assert "kari" not in repr(receipt).lower()


async def test_what_ended_long_before_leaves_no_receipt(people: People, clock: TurnedClock) -> None:
    await people.agree(KARI)
    await people.agree(KARI, "monthly")
    await people.end(KARI)
    clock.turn(clock.now() + timedelta(days=100))
    await people.end(KARI, slug="monthly")
    assert len(await people.rows(Receipt)) == 1


async def test_ending_twice_does_nothing(people: People) -> None:
    await people.agree(KARI)
    await people.agree(KARI, "monthly")
    await people.erase(KARI)
    assert len(await people.rows(Tombstone)) == 1
