"""Whoever can write the database, and no more, is found out, and what they changed is named (promise P1)."""

import pytest
from sqlalchemy.exc import IntegrityError

from newsletter.chain.rules import GENESIS, entry_hash
from newsletter.installation import Installation
from newsletter.tokens import new_id
from tests.agreements.proof.evidence import Evidence, gathered

FORK = "UPDATE chain_entry SET previous = (SELECT previous FROM chain_entry WHERE number = 5) WHERE number = 6"


@pytest.fixture
async def evidence(installation: Installation) -> Evidence:
    made = await gathered(installation)
    assert await made.verify() == []
    return made


async def test_an_edited_event_is_named(evidence: Evidence) -> None:
    event = (await evidence.events())[2]
    await evidence.sql("UPDATE agreement_event SET source_page = '/elsewhere' WHERE id = :id", id=event.id)
    (found,) = await evidence.verify()
    assert (found.fault, found.number, found.event_id) == ("changed event", 3, event.id)
    assert found.agreement_id == event.agreement_id


async def test_an_edited_agreement_is_named(evidence: Evidence) -> None:
    event = (await evidence.events())[0]
    changed = "UPDATE agreement SET gdpr_basis = '6(1)(a)' WHERE id = :id"
    await evidence.sql(changed, id=event.agreement_id)
    found = await evidence.verify()
    assert {(one.fault, one.agreement_id) for one in found} == {("changed agreement", event.agreement_id)}


async def test_an_agreement_moved_to_somebody_else_is_named(evidence: Evidence) -> None:
    events = await evidence.events()
    one = events[0].agreement_id
    other = next(event.agreement_id for event in events if event.agreement_id != one)
    theirs = "(SELECT subscription_id FROM agreement WHERE id = :other)"
    await evidence.sql(f"UPDATE agreement SET subscription_id = {theirs} WHERE id = :id", id=one, other=other)
    found = await evidence.verify()
    assert {each.agreement_id for each in found} == {one, None}
    assert [each.sentence.endswith("rests on no agreement") for each in found if each.agreement_id is None] == [True]


async def test_a_dropped_event_is_named_by_its_place(evidence: Evidence) -> None:
    event = (await evidence.events())[3]
    await evidence.sql("DELETE FROM agreement_event WHERE id = :id", id=event.id)
    assert ("dropped event", 4) in await evidence.faults()


async def test_a_planted_event_is_never_chained(evidence: Evidence) -> None:
    event = (await evidence.events())[0]
    columns = "id, agreement_id, newsletter_id, kind, at, actor, channel, seal, position"
    copy = "SELECT :new, agreement_id, newsletter_id, 'renewed', at, actor, channel, seal, 0 FROM agreement_event"
    await evidence.sql(f"INSERT INTO agreement_event ({columns}) {copy} WHERE id = :id", new=new_id(), id=event.id)
    await evidence.chain_all()
    (found,) = await evidence.verify()
    assert (found.fault, found.agreement_id) == ("planted event", event.agreement_id)


async def test_events_that_changed_places_are_named(evidence: Evidence) -> None:
    first, second = (await evidence.events())[1:3]
    place = "UPDATE agreement_event SET position = :position WHERE id = :id"
    await evidence.sql(place, id=first.id, position=second.position)
    await evidence.sql(place, id=second.id, position=first.position)
    assert await evidence.faults() == {("reordered events", 2), ("reordered events", 3)}


async def test_a_fork_can_t_be_stored(evidence: Evidence) -> None:
    with pytest.raises(IntegrityError):
        await evidence.sql("INSERT INTO chain_entry SELECT * FROM chain_entry WHERE number = 6")
    with pytest.raises(IntegrityError):
        await evidence.sql(FORK)


async def test_a_fork_is_found_where_the_table_was_made_anew_to_store_it(evidence: Evidence) -> None:
    await evidence.sql("CREATE TABLE copied AS SELECT * FROM chain_entry")
    await evidence.sql("DROP TABLE chain_entry")
    await evidence.sql("ALTER TABLE copied RENAME TO chain_entry")
    await evidence.sql(FORK)
    assert ("fork", 6) in await evidence.faults()


async def test_a_tail_that_is_cut_is_missed(evidence: Evidence) -> None:
    await evidence.sql("DELETE FROM agreement_event WHERE position > 4")
    await evidence.sql("DELETE FROM chain_entry WHERE number > 4")
    assert ("tail cut", 5) in await evidence.faults()
    await evidence.subscribe()
    assert ("recomputed chain", 1) in await evidence.faults(), "what is chained after it gets no head"


async def test_a_faked_erasure_hides_nothing(evidence: Evidence) -> None:
    await evidence.sql("DELETE FROM agreement_event WHERE position = 4")
    values = {"id": new_id(), "newsletter": evidence.weekly.id, "seal": "0" * 32}
    planted = (
        "INSERT INTO agreement_blinding (id, newsletter_id, numbers, seal) VALUES (:id, :newsletter, '[4]', :seal)"
    )
    await evidence.sql(planted, **values)
    await evidence.chain_all()
    assert {("faked erasure", None), ("dropped event", 4)} <= await evidence.faults()


async def test_an_erasure_written_straight_into_the_chain_hides_nothing(evidence: Evidence) -> None:
    await evidence.sql("DELETE FROM agreement_event WHERE position = 4")
    (last,) = await evidence.sql("SELECT * FROM chain_entry ORDER BY number DESC LIMIT 1")
    hashed = entry_hash(evidence.chain, 7, "erasure", None, "[4]", last["hash"])
    values = {"chain": evidence.chain, "previous": last["hash"], "hash": hashed, "seal": last["seal"]}
    planted = "INSERT INTO chain_entry (chain, number, kind, body, previous, hash, seal)"
    await evidence.sql(f"{planted} VALUES (:chain, 7, 'erasure', '[4]', :previous, :hash, :seal)", **values)
    await evidence.chain_all()
    assert {("faked erasure", 7), ("dropped event", 4)} <= await evidence.faults()


async def test_a_chain_computed_anew_disagrees_with_its_heads(evidence: Evidence) -> None:
    await evidence.sql("DELETE FROM agreement_event WHERE position = 3")
    await evidence.sql("UPDATE agreement_event SET position = position - 1 WHERE position > 3")
    entries = await evidence.entries()
    await evidence.sql("DELETE FROM chain_entry WHERE chain = :chain", chain=evidence.chain)
    previous = GENESIS
    for number, entry in enumerate([entry for entry in entries if entry["number"] != 3], 1):
        made = entry_hash(evidence.chain, number, entry["kind"], entry["leaf"], entry["body"], previous)
        values = entry | {"number": number, "previous": previous, "hash": made}
        await evidence.sql(
            "INSERT INTO chain_entry (chain, number, kind, leaf, body, previous, hash, seal)"
            " VALUES (:chain, :number, :kind, :leaf, :body, :previous, :hash, :seal)",
            **values,
        )
        previous = made
    faults = await evidence.faults()
    assert ("tail cut", 6) in faults
    assert ("planted entry", 3) in faults


async def test_changed_words_of_a_notice_are_found(evidence: Evidence) -> None:
    await evidence.sql("UPDATE notice SET text = 'You agreed to everything.' WHERE language = 'en'")
    await evidence.sql("UPDATE agreement_terms SET body = '{}'")
    assert {fault for fault, _ in await evidence.faults()} == {"changed notice", "changed terms"}
