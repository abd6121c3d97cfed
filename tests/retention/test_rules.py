"""What is kept for a time goes when the time is over, by a rule with a name, and not before."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from sqlmodel import select

from newsletter import schema
from newsletter.clock import TurnedClock
from newsletter.database import Session
from newsletter.editors.tables import Editor
from newsletter.installation import Installation
from newsletter.personal import declarations
from newsletter.retention import actions, runs
from newsletter.retention.rule import Rule
from newsletter.retention.rules import RULES
from newsletter.retention.wording import lasting
from tests.retention.planting import OLD_AT_ONCE, PLANTS

LONG = timedelta(days=10 * 366)


def test_whatever_a_personal_column_names_is_a_rule() -> None:
    named = {declared.purged_by for _column, declared in declarations(schema.METADATA) if declared.purged_by}
    assert named <= {rule.name for rule in RULES}
    assert len({rule.name for rule in RULES}) == len(RULES)


async def test_each_rule_purges_what_is_over_and_nothing_before(installation: Installation, clock: TurnedClock) -> None:
    assert set(PLANTS) == {rule.name for rule in RULES}
    async with installation.database.write() as session:
        for plant in PLANTS.values():
            await plant(session, installation)
    assert {ran.rule for ran in await actions.try_all(installation) if ran.purged} == OLD_AT_ONCE
    clock.turn(clock.now() + LONG)
    tried = await actions.try_all(installation)
    assert {ran.rule: ran.purged for ran in tried} == dict.fromkeys(PLANTS, 1)
    assert {ran.rule: (ran.purged, ran.error) for ran in await actions.run_all(installation)} == dict.fromkeys(
        PLANTS, (1, None)
    )
    assert [ran.rule for ran in await actions.try_all(installation) if ran.purged or ran.error] == []


async def test_a_rule_that_fails_stops_no_other_and_is_remembered_until_it_runs_well(
    sqlite_installation: Installation, clock: TurnedClock
) -> None:
    async def fail(session: Session, installation: Installation) -> int:
        await PLANTS["editor sessions"](session, installation)
        raise ValueError("kari@example.com is what this says")

    def with_purge(purge: Callable[[Session, Installation], Awaitable[int]]) -> tuple[Rule, ...]:
        return (replace(RULES[0], purge=purge), *RULES[1:])

    async with sqlite_installation.database.write() as session:
        await PLANTS["measurement marks"](session, sqlite_installation)
    began = clock.now() + LONG
    clock.turn(began)
    ran = {each.rule: each for each in await actions.run_due(sqlite_installation, with_purge(fail))}
    assert ran["unconfirmed"].error == "ValueError"
    assert ran["measurement marks"].purged == 1
    clock.turn(began + timedelta(minutes=1))
    # Only the one that failed has its turn again so soon, and it fails since then.
    assert [each.rule for each in await actions.run_due(sqlite_installation, with_purge(fail))] == ["unconfirmed"]
    async with sqlite_installation.database.read() as session:
        assert [(state.rule, state.failed_at) for state in await actions.failing(session)] == [("unconfirmed", began)]
        assert "kari" not in repr([run.model_dump() for run in await runs.latest(session)])
        assert (await session.exec(select(Editor))).all() == []
    await actions.run_due(sqlite_installation)
    async with sqlite_installation.database.read() as session:
        assert await actions.failing(session) == []


async def test_each_rule_has_its_turn_when_it_is_time(sqlite_installation: Installation, clock: TurnedClock) -> None:
    assert len(await actions.run_due(sqlite_installation)) == len(RULES)
    assert await actions.run_due(sqlite_installation) == []
    clock.turn(clock.now() + timedelta(minutes=10))
    often = {ran.rule for ran in await actions.run_due(sqlite_installation)}
    assert "unconfirmed" in often
    assert "audit trail" not in often
    clock.turn(clock.now() + timedelta(days=1))
    assert "audit trail" in {ran.rule for ran in await actions.run_due(sqlite_installation)}


def test_how_long_is_said_in_the_largest_unit_that_says_it_whole() -> None:
    periods = {72: "3 days", 1: "1 hour", 36: "36 hours", 24 * 30: "30 days", 24 * 720: "24 months", 0: "not at all"}
    periods |= {24 * 1096: "about 3 years (1,096 days)"}
    assert {hours: lasting(timedelta(hours=hours)) for hours in periods} == periods
