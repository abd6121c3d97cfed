"""A trail that was changed is found out, by whoever can write the database too; and what expires leaves its hash."""

from datetime import timedelta

from sqlalchemy import text
from sqlmodel import col, select

from newsletter.chain import actions as chain
from newsletter.chain import heads
from newsletter.chain.findings import Fault
from newsletter.chain.heads_file import HeadsFile
from newsletter.clock import TurnedClock
from newsletter.editors.audit import chaining as audit_chaining
from newsletter.editors.audit import retention as audit_retention
from newsletter.editors.audit import verifying as audit_verifying
from newsletter.editors.audit.actions import CLI, Act, note
from newsletter.editors.audit.tables import AuditEntry
from newsletter.installation import Installation

ACTS = 12
# What somebody with the database in hand might do, and what is then found.
ATTACKS = {
    "UPDATE audit_entry SET actor = 'nobody' WHERE position = 7": {Fault.CHANGED_EVENT},
    "UPDATE audit_entry SET at = '2026-01-01 00:00:00+00:00' WHERE position = 7": {Fault.CHANGED_EVENT},
    "DELETE FROM audit_entry WHERE position = 7": {Fault.DROPPED_EVENT},
    "UPDATE audit_entry SET position = 15 - position WHERE position IN (7, 8)": {Fault.CHANGED_EVENT},
    "INSERT INTO audit_entry (id, at, actor, act, salt, seal, position) VALUES "
    "('x', '2026-01-01 00:00:00+00:00', 'cli', 'person_read', 'x', 'x', 0)": {Fault.PLANTED_EVENT},
    # Two acts in one place, an act in no act's place, and one that is kept from being chained.
    "INSERT INTO audit_entry SELECT 'x', at, 'nobody', act, subject_id, newsletter_id, count, salt, seal, position "
    "FROM audit_entry WHERE position = 7": {Fault.CHANGED_EVENT},
    "UPDATE audit_entry SET position = -1 WHERE position = 7": {Fault.DROPPED_EVENT, Fault.HELD_BACK},
    # Hidden before the chain's beginning: an expiry and a restore with another link's hash and seal.
    "INSERT INTO chain_entry (chain, number, kind, body, previous, hash, seal) "
    "SELECT chain, 0, 'expired', '[]', 'x', hash, seal FROM chain_entry WHERE number = 7": {Fault.PLANTED_ENTRY},
    "INSERT INTO chain_entry (chain, number, kind, body, previous, hash, seal) "
    "SELECT chain, 999999999999999999, 'x', '[]', 'x', hash, seal FROM chain_entry WHERE number = 7": {
        Fault.DROPPED_ENTRY,
        Fault.CHANGED_ENTRY,
    },
    "DELETE FROM chain_entry WHERE number = 12": {Fault.TAIL_CUT, Fault.PLANTED_EVENT},
    "UPDATE chain_entry SET kind = 'expired', body = '{\"to\": 12}', leaf = NULL WHERE number = 7": {
        Fault.CHANGED_ENTRY,
        Fault.CHANGED_EVENT,
    },
}


async def noted(installation: Installation, count: int = ACTS) -> None:
    """Let so many acts be noted, chained, and the chain's head signed."""
    async with installation.database.write() as session:
        for number in range(count):
            await note(session, installation, CLI, Act.PERSON_READ, count=number)
    assert await audit_chaining.chain_all(installation) == count
    await heads.sign_heads(installation, HeadsFile(installation.settings.heads))


async def faults(installation: Installation, attack: str = "") -> set[Fault]:
    """Give what is found after an attack, which is then undone."""
    async with installation.database.read() as session:
        if attack:
            await session.execute(text(attack.replace(":", r"\:")))
        return {finding.fault for finding in await audit_verifying.verify(session, installation)}


async def test_every_change_of_the_trail_is_found(installation: Installation) -> None:
    await noted(installation)
    assert await faults(installation) == set()
    for attack, expected in ATTACKS.items():
        assert await faults(installation, attack) == expected, attack
    assert await faults(installation) == set()


async def test_acts_that_are_not_chained_yet_are_guarded_by_their_seal(installation: Installation) -> None:
    await noted(installation, 3)
    async with installation.database.write() as session:
        await note(session, installation, CLI, Act.PERSON_ERASED)
    assert await faults(installation) == set()
    attack = "UPDATE audit_entry SET act = 'person_read' WHERE position = 0"
    assert await faults(installation, attack) == {Fault.PLANTED_EVENT}


async def test_what_is_over_goes_and_the_chain_still_holds(installation: Installation, clock: TurnedClock) -> None:
    await noted(installation)
    clock.turn(clock.now() + timedelta(days=24 * 30 + 1))
    await noted(installation, 2)
    async with installation.database.write() as session:
        assert await audit_retention.count_expired(session, installation) == ACTS
        assert await audit_retention.purge_expired(session, installation) == ACTS
        assert await audit_retention.purge_expired(session, installation) == 0
    async with installation.database.read() as session:
        kept = (await session.exec(select(AuditEntry.count).order_by(col(AuditEntry.position)))).all()
        assert set(kept) == {0, 1}
        assert (await chain.end(session, audit_chaining.CHAIN)).number == ACTS + 3
    assert await faults(installation) == set()
    assert await faults(installation, f"DELETE FROM audit_entry WHERE position = {ACTS + 1}") == {Fault.DROPPED_EVENT}
