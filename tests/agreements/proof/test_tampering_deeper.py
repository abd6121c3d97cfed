"""Whoever knows how the evidence is verified, and looks for what that passes over, is found out too (promise P1)."""

import json
from collections.abc import Mapping

import pytest

from newsletter.agreements.opening import open_newsletter
from newsletter.agreements.proof import verifying
from newsletter.backup.returning import Returning
from newsletter.chain import signing
from newsletter.installation import Installation
from newsletter.tokens import Keyring
from tests.agreements.proof.evidence import Evidence, gathered

OLD = b"a root secret that only tests have"
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
    await evidence.sql(
        "UPDATE agreement SET newsletter_id = :other WHERE id = :id", other=other.id, id=event.agreement_id
    )
    await evidence.sql("UPDATE agreement_event SET newsletter_id = :other WHERE agreement_id = :id",
                       other=other.id, id=event.agreement_id)  # fmt: skip
    names = {finding.agreement_id for finding in await evidence.verify()}
    assert event.agreement_id in names


async def test_a_tail_that_is_cut_under_the_guise_of_a_restore_is_told(evidence: Evidence) -> None:
    """A tombstone that is gone makes the program believe in a restore, which it then notes itself."""
    installation = evidence.installation
    await evidence.erase_one()
    await evidence.chain_all()
    await Returning(installation).keep()
    await evidence.sql("DELETE FROM tombstone")
    await evidence.sql("DELETE FROM subscriber")
    await evidence.sql("DELETE FROM chain_entry WHERE chain = :chain", chain=evidence.chain)
    assert ("tail cut", 1) in await evidence.faults()
    await Returning(installation).begin()
    async with installation.database.snapshot() as session:
        told = await verifying.restored(session, evidence.weekly)
    assert [(one.fault, one.number, one.last) for one in told] == [("restored", 1, 7)]


@pytest.mark.parametrize("position", [-1, -7])
async def test_an_event_that_is_kept_from_the_chain_is_named(evidence: Evidence, position: int) -> None:
    evidence.chain_all = _nothing  # type: ignore[method-assign]  # the story chains when it wants to
    await evidence.subscribe()
    held = "UPDATE agreement_event SET position = :position WHERE position = 0"
    await evidence.sql(held, position=position)
    assert {fault for fault, _ in await evidence.faults()} == {"event held back"}


async def _nothing() -> None:
    """Chain nothing."""


async def test_terms_that_are_gone_are_missed(evidence: Evidence) -> None:
    await evidence.sql("DELETE FROM agreement_terms")
    assert {fault for fault, _ in await evidence.faults()} == {"changed terms"}


@pytest.mark.parametrize(
    ("attack", "number"),
    [
        ("UPDATE notice_use SET valid_from = '2020-01-01 00:00:00.000000+00:00' WHERE language = 'en'", 3),
        (
            "UPDATE notice_use SET notice_hash = (SELECT hash FROM notice WHERE language = 'nn') WHERE language = 'nb'",
            1,
        ),
        ("DELETE FROM notice_use WHERE language = 'nn'", 2),
        ("UPDATE notice_use SET id = 'planted' WHERE language = 'nn'", 2),
    ],
)
async def test_a_notice_that_was_not_in_force_then_is_found(evidence: Evidence, attack: str, number: int) -> None:
    await evidence.sql(attack.replace(":00", r"\:00"))
    assert ("changed notice", number) in await evidence.faults()


async def test_a_subscription_that_nobody_agreed_to_is_named(evidence: Evidence) -> None:
    # Whatever tables hang on what: as somebody does who deletes between an event and its head.
    evidence.chain_all = _nothing  # type: ignore[method-assign]  # the story chains when it wants to
    await evidence.subscribe()
    await evidence.sql(
        "DELETE FROM agreement WHERE id IN (SELECT agreement_id FROM agreement_event WHERE position = 0)"
    )
    (found,) = await evidence.verify()
    assert (found.chain, found.sentence.endswith("rests on no agreement")) == (evidence.chain, True)


async def test_an_entry_with_an_endless_number_is_found(evidence: Evidence) -> None:
    number = 2**62
    await planted_restore(evidence, number)
    assert ("changed entry", number) in await evidence.faults()


async def test_a_row_that_can_t_be_read_is_a_finding(sqlite_installation: Installation) -> None:
    evidence = await gathered(sqlite_installation)
    await evidence.sql("UPDATE agreement_event SET at = 'yesterday' WHERE position = 3")
    assert await evidence.faults() == {("unreadable row", None)}


async def test_an_old_key_outlives_what_is_done_to_its_row(evidence: Evidence) -> None:
    rotated = evidence.run_by(keys=Keyring(b"the root secret after the rotation", OLD))
    await rotated.subscribe()
    later = evidence.run_by(keys=Keyring(b"the root secret after a second one.", b"the root secret after the rotation"))
    await later.subscribe()
    assert len(await published(later)) == 3
    await evidence.sql("UPDATE signing_key SET statement = '[]' ")
    assert "changed key" in {fault for fault, _ in await later.faults()}
    await evidence.sql("DELETE FROM signing_key")
    assert len(await published(later)) == 2, "its own two"
    await later.sign()
    assert len(await published(later)) == 3, "the heads file still knows it"
    assert await later.verify() == []


async def published(evidence: Evidence) -> Mapping[str, bytes]:
    """Give the public keys that the service publishes."""
    async with evidence.installation.database.read() as session:
        return await signing.public_keys(session, evidence.installation)
