"""What happens in an honest life verifies clean: erasures, rotated keys, restored backups, kills, many workers."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.agreements.proof import chaining
from newsletter.chain.heads import note_restore
from newsletter.installation import Installation
from newsletter.tokens import Keyring
from tests.agreements.proof.evidence import Evidence, gathered

OLD, NEW = b"a root secret that only tests have", b"the root secret after the rotation"


@pytest.fixture
async def evidence(installation: Installation) -> Evidence:
    return await gathered(installation)


async def test_a_request_that_nobody_confirmed_is_in_no_chain(evidence: Evidence) -> None:
    await evidence.ask()
    await evidence.chain_all()
    assert len(await evidence.events()) == 2 * 3
    assert await evidence.verify() == []


async def test_an_erasure_leaves_a_chain_that_verifies(evidence: Evidence) -> None:
    await evidence.erase_one()
    assert await evidence.verify() == [], "before it is chained"
    await evidence.chain_all()
    entries = await evidence.entries()
    assert [entry["kind"] for entry in entries] == ["event"] * 6 + ["erasure"]
    assert len(await evidence.events()) == 2 * 2
    assert await evidence.verify() == []


async def test_an_erasure_before_anything_was_chained_leaves_nothing(installation: Installation) -> None:
    evidence = await gathered(installation, people=0)
    evidence.chain_all = _nothing  # type: ignore[method-assign]  # the story chains when it wants to
    await evidence.subscribe()
    await evidence.erase_one()
    await evidence.chain_unsigned()
    assert await evidence.entries() == []
    assert await evidence.verify() == []


async def _nothing() -> None:
    """Chain nothing."""


async def test_old_heads_count_after_two_rotations(evidence: Evidence) -> None:
    rotated = evidence.run_by(keys=Keyring(NEW, OLD))
    await rotated.subscribe()
    assert await rotated.verify() == []
    later = evidence.run_by(keys=Keyring(b"the root secret after a second one.", NEW))
    await later.subscribe()
    assert await later.verify() == [], "the first key is known by the statements alone"
    stranger = evidence.run_by(keys=Keyring(b"a secret that never was this installation's"))
    assert {"bad head"} <= {fault for fault, _ in await stranger.faults()}


async def test_a_kill_between_commit_and_head_is_mended_by_the_next_run(evidence: Evidence) -> None:
    evidence.chain_all = evidence.chain_unsigned  # type: ignore[method-assign]  # the story chains when it wants to
    await evidence.subscribe()
    assert await evidence.verify() == [], "the seals vouch for what no head does yet"
    with evidence.installation.settings.heads.open("ab") as file:
        file.write(b'{"type":"head","chain":"agre')
    assert await evidence.sign() == 1
    assert await evidence.sign() == 0
    assert await evidence.verify() == []


async def test_no_head_is_signed_for_what_is_not_ours(evidence: Evidence) -> None:
    evidence.chain_all = evidence.chain_unsigned  # type: ignore[method-assign]  # the story chains when it wants to
    await evidence.subscribe()
    await evidence.sql("UPDATE chain_entry SET leaf = :leaf WHERE number = 7", leaf="f" * 64)
    assert await evidence.sign() == 0
    assert ("changed entry", 7) in await evidence.faults()


async def test_a_restored_backup_is_a_finding_until_it_is_noted(evidence: Evidence) -> None:
    await evidence.subscribe(2)
    # As a backup from before had it.
    await evidence.sql("DELETE FROM subscriber WHERE id IN (SELECT subscriber_id FROM subscription WHERE id IN"
                       " (SELECT subscription_id FROM agreement WHERE id IN"
                       " (SELECT agreement_id FROM agreement_event WHERE position > 6)))")  # fmt: skip
    await evidence.sql("DELETE FROM chain_entry WHERE number > 6")
    assert await evidence.faults() == {("tail cut", 7)}
    await evidence.subscribe()
    assert await evidence.sign() == 0, "nothing is signed meanwhile"
    async with evidence.installation.database.write() as session:
        await note_restore(session, evidence.installation)
    assert await evidence.verify() == []
    await evidence.subscribe()
    assert await evidence.sign() == 0
    assert await evidence.verify() == []
    await evidence.sql("DELETE FROM chain_entry WHERE number > 8")
    assert "tail cut" in {fault for fault, _ in await evidence.faults()}, "a restore forgives only what it left"


async def test_many_workers_at_once_make_one_chain(evidence: Evidence, tmp_path: Path) -> None:
    evidence.chain_all = _nothing  # type: ignore[method-assign]  # the story chains when it wants to
    await evidence.subscribe(10)
    heads = [evidence.installation.settings.model_copy(update={"heads_file": tmp_path / f"{n}"}) for n in range(3)]
    machines = [evidence.installation, *(replace(evidence.installation, settings=each) for each in heads)]
    workers = [chaining.Chaining(machine) for machine in machines]
    await asyncio.gather(*(worker.work() for worker in workers), evidence.erase_one())
    await asyncio.gather(*(worker.work() for worker in workers))
    for machine in machines:
        assert await evidence.run_by(settings=machine.settings).verify() == []
    assert len(await evidence.events()) == 2 * 12


async def test_what_an_earlier_version_wrote_is_taken_in_once(installation: Installation) -> None:
    evidence = await gathered(installation, people=0)
    await evidence.sql("DELETE FROM chain_entry")
    installation.settings.heads.unlink()
    evidence.chain_all = _nothing  # type: ignore[method-assign]  # the story chains when it wants to
    await evidence.subscribe()
    before = "UPDATE agreement_event SET seal = '', newsletter_id = '', position = NULL"
    await evidence.sql(before)
    await evidence.sql("UPDATE agreement SET seal = '', salt = '', principal = '', terms_hash = NULL")
    assert await evidence.verify() != []
    await chaining.Chaining(installation).work()
    assert await evidence.verify() == []
    assert len(await evidence.events()) == 1 + 1
    await evidence.sql(before)
    await chaining.Chaining(installation).work()
    assert "dropped event" in {fault for fault, _ in await evidence.faults()}
