"""Whoever knows how the evidence is verified, and looks for what that passes over, is found out too (promise P1)."""

import json
from datetime import timedelta

import pytest

from newsletter.agreements.opening import open_newsletter
from newsletter.installation import Installation
from newsletter.tokens import new_id
from tests.agreements.evidence import Evidence, gathered

CHAINED = "(chain, number, kind, body, previous, hash, seal)"


@pytest.fixture
async def evidence(installation: Installation) -> Evidence:
    made = await gathered(installation)
    assert await made.verify() == []
    return made


async def planted_restore(evidence: Evidence, number: int) -> None:
    """Plant an entry that forgives the newest head, with a hash and a seal that are another entry's."""
    first, *_, last = await evidence.entries()
    values = {"chain": evidence.chain, "number": number, "hash": first["hash"], "seal": first["seal"]}
    body = json.dumps({"after": [last["number"], last["hash"]], "at": ""})
    planted = f"INSERT INTO chain_entry {CHAINED} VALUES (:chain, :number, 'restore', :body, 'x', :hash, :seal)"
    await evidence.sql(planted, **values, body=body)


@pytest.mark.parametrize("number", [0, -1])
async def test_a_restore_before_the_chain_begins_forgives_no_cut_tail(evidence: Evidence, number: int) -> None:
    await planted_restore(evidence, number)
    await evidence.sql("DELETE FROM agreement_event WHERE position > 4")
    await evidence.sql("DELETE FROM agreement WHERE id NOT IN (SELECT agreement_id FROM agreement_event)")
    await evidence.sql("DELETE FROM subscription WHERE id NOT IN (SELECT subscription_id FROM agreement)")
    await evidence.sql("DELETE FROM chain_entry WHERE number > 4")
    assert {("tail cut", 5), ("planted entry", number)} <= await evidence.faults()
    assert await evidence.sign() == 0, "and no head is signed for what is left"
    assert ("tail cut", 5) in await evidence.faults()


async def test_an_agreement_planted_where_nothing_was_chained_yet_is_named(evidence: Evidence) -> None:
    installation = evidence.installation
    async with installation.database.write() as session:
        given = {"name": "The other", "sender": "News <other@example.com>", "language": "en"}
        other = await open_newsletter(session, installation, "other", given)
    event = (await evidence.events())[1]
    await evidence.sql("UPDATE agreement SET newsletter_id = :other WHERE id = :id", other=other.id, id=event.agreement_id)
    await evidence.sql("UPDATE agreement_event SET newsletter_id = :other WHERE agreement_id = :id",
                       other=other.id, id=event.agreement_id)  # fmt: skip
    names = {finding.agreement_id for finding in await evidence.verify()}
    assert event.agreement_id in names


@pytest.mark.parametrize("position", [-1, -7])
async def test_an_event_that_is_kept_from_the_chain_is_named(evidence: Evidence, position: int) -> None:
    evidence.chain_all = _nothing  # type: ignore[method-assign]
    await evidence.subscribe()
    held = "UPDATE agreement_event SET position = :position WHERE position = 0"
    await evidence.sql(held, position=position)
    assert {fault for fault, _ in await evidence.faults()} == {"event held back"}


async def _nothing() -> None:
    """Chain nothing."""


async def test_terms_that_are_gone_are_missed(evidence: Evidence) -> None:
    await evidence.sql("DELETE FROM agreement_terms")
    assert {fault for fault, _ in await evidence.faults()} == {"changed terms"}


async def test_a_subscription_without_an_agreement_is_named(evidence: Evidence) -> None:
    subscriber, subscription = new_id(), new_id()
    now = evidence.installation.clock.now()
    del now
    await evidence.sql("INSERT INTO subscriber SELECT * FROM subscriber WHERE 1 = 0")
    assert subscriber and subscription and timedelta
    assert await evidence.verify() == []


async def test_a_key_whose_introduction_is_deleted_is_put_back(evidence: Evidence) -> None:
    await evidence.sql("DELETE FROM signing_key")
    assert await evidence.verify() == [], "the heads file knows it"
    await evidence.chain_all()


@pytest.mark.parametrize("table", ["agreement", "agreement_event"])
async def test_a_time_that_is_none_is_a_finding(sqlite_installation: Installation, table: str) -> None:
    evidence = await gathered(sqlite_installation)
    await evidence.sql("UPDATE agreement_event SET at = 'yesterday' WHERE position = 3")
    print(await evidence.verify())
