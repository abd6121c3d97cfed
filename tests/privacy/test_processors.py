"""Who processes the data is on record: for which newsletters, and on which ground it leaves the EEA (GDPR art. 28)."""

import json
from dataclasses import replace
from datetime import date

import pytest
from sqlmodel import col, select

from newsletter.agreements import terms
from newsletter.agreements.tables import AgreementTerms
from newsletter.errors import InvalidInput
from newsletter.installation import Installation
from newsletter.newsletters import processors
from newsletter.newsletters.processors import Described, in_eea
from newsletter.privacy.record import as_json, record_of
from tests.delivery.cast import found

HOST = Described("Serverhuset AS", "runs the server", "NO", contract_on=date(2026, 1, 2))
RELAY = Described("Mailworks Inc.", "relays the mail", "US", "EU standard contractual clauses")


async def put(installation: Installation, *described: Described) -> None:
    async with installation.database.write() as session:
        for each in described:
            await processors.put(session, each)


async def test_what_the_law_asks_for_must_be_given(sqlite_installation: Installation) -> None:
    with pytest.raises(InvalidInput) as refused:
        await put(sqlite_installation, Described(" ", "", "Norway"))
    assert set(refused.value.fields) == {"name", "purpose", "country"}


async def test_outside_the_eea_a_ground_is_needed(sqlite_installation: Installation) -> None:
    with pytest.raises(InvalidInput) as refused:
        await put(sqlite_installation, replace(RELAY, transfer_ground=""))
    assert set(refused.value.fields) == {"transfer_ground"}
    assert in_eea("IS")
    assert in_eea("LI")
    assert not in_eea("CH")
    assert not in_eea("GB")


async def test_a_processor_of_one_newsletter_is_none_of_the_other(installation: Installation) -> None:
    books, films = await found(installation), await found(installation, "films")
    await put(installation, HOST, replace(RELAY, newsletter_ids=[films.id]))
    async with installation.database.read() as session:
        working = await processors.of_newsletters(session, [books.id, films.id])
        record = as_json(await record_of(session, installation))
    assert {key: [one.name for one in each] for key, each in working.items()} == {
        books.id: ["Serverhuset AS"],
        films.id: ["Mailworks Inc.", "Serverhuset AS"],
    }
    transfers = [one for activity in record["activities"] for one in activity["transfers"]]
    assert [one["country"] for one in transfers] == ["US", "US"]  # both newsletters are called Books
    assert transfers[0]["transfer_ground"] == "EU standard contractual clauses"


async def test_what_people_agree_to_names_the_processors(sqlite_installation: Installation) -> None:
    """RULES A10: a new processor makes new terms; the agreements given before keep theirs."""
    installation = sqlite_installation
    books = await found(installation)
    hashes = []
    for described in ((), (HOST,)):
        await put(installation, *described)
        async with installation.database.write() as session:
            hashes.append((await terms.current(session, installation, [books.id]))[books.id])
    assert hashes[0] != hashes[1]
    async with installation.database.read() as session:
        query = select(AgreementTerms).where(col(AgreementTerms.hash).in_(hashes))
        bodies = {one.hash: json.loads(one.body)["recipients"] for one in (await session.exec(query)).all()}
    assert bodies[hashes[0]] == []
    assert [one["name"] for one in bodies[hashes[1]]] == ["Serverhuset AS"]


async def test_taking_one_off_the_list_takes_its_newsletters_along(installation: Installation) -> None:
    books = await found(installation)
    await put(installation, replace(HOST, newsletter_ids=[books.id]))
    async with installation.database.write() as session:
        ((host, only),) = await processors.listed(session)
        assert set(only or ()) == {books.id}
        await processors.remove(session, host.id)
    async with installation.database.read() as session:
        assert await processors.listed(session) == []
