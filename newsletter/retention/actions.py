"""Running the rules of retention: those whose turn it is, all of them, or none of them but counting.

Each rule has a transaction of its own, so that one that fails stops no other and undoes nothing of theirs. A failure is
remembered by its kind until the rule runs well again, and shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.database import Session
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.installation import Installation
from newsletter.logs import get_logger, where
from newsletter.retention import runs
from newsletter.retention.rule import Rule
from newsletter.retention.rules import RULES
from newsletter.retention.runs import Ran
from newsletter.retention.tables import RetentionState

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a rule stands: how long it keeps, how many are over just now, when it ran and will run.

    `over` is None where it could not be counted. `next_at` is the earliest; the worker looks every ten minutes.
    """

    rule: Rule
    period: timedelta
    over: int | None
    ran_at: datetime | None
    purged: int
    next_at: datetime | None
    failed_at: datetime | None
    error: str | None


async def by_hand(installation: Installation, actor: str, *, dry_run: bool) -> list[Ran]:
    """Run every rule now because `actor` asked for it, or only try them; either is noted in the audit trail."""
    ran = await (try_all(installation) if dry_run else run_all(installation))
    async with installation.database.write() as session:
        act = Act.RETENTION_TRIED if dry_run else Act.RETENTION_RUN
        await audit.note(session, installation, actor, act, count=sum(each.purged for each in ran))
    return ran


async def run_due(installation: Installation, rules: Sequence[Rule] = RULES) -> list[Ran]:
    """Run the rules whose turn it is; give what came of each."""
    now = installation.clock.now()
    async with installation.database.read() as session:
        states = await runs.states(session)
    return [await _run(installation, rule) for rule in rules if _is_due(rule, states.get(rule.name), now)]


def _is_due(rule: Rule, state: RetentionState | None, now: datetime) -> bool:
    # A little early is on time: else a schedule that drifts by a second would leave out every other turn.
    return state is None or state.failed_at is not None or state.ran_at + rule.every * 0.9 <= now


async def run_all(installation: Installation, rules: Sequence[Rule] = RULES) -> list[Ran]:
    """Run every rule now; give what came of each."""
    return [await _run(installation, rule) for rule in rules]


async def _run(installation: Installation, rule: Rule) -> Ran:
    began = installation.clock.monotonic()
    try:
        async with installation.database.write() as session:
            purged = await rule.purge(session, installation)
        ran = Ran(rule.name, purged, installation.clock.monotonic() - began)
    except Exception as error:
        _log.error("retention_failed", rule=rule.name, kind=type(error).__name__, where=where(error))
        ran = Ran(rule.name, 0, installation.clock.monotonic() - began, type(error).__name__)
    async with installation.database.write() as session:
        await runs.record(session, installation, ran)
    return ran


async def try_all(installation: Installation, rules: Sequence[Rule] = RULES) -> list[Ran]:
    """Give what each rule would purge now, and purge nothing."""
    tried = []
    for rule in rules:
        async with installation.database.read() as session:
            over = await _count(session, installation, rule)
        tried.append(Ran(rule.name, over or 0, 0.0, None if over is not None else "NotCounted"))
    return tried


async def standing(installation: Installation, rules: Sequence[Rule] = RULES) -> list[Standing]:
    """Give how every rule stands."""
    async with installation.database.read() as session:
        states = await runs.states(session)
    found = []
    for rule in rules:
        # Each in a session of its own: on PostgreSQL a count that fails takes the others of its transaction along.
        async with installation.database.read() as session:
            over = await _count(session, installation, rule)
        state = states.get(rule.name)
        found.append(_standing(installation, rule, over, state))
    return found


def _standing(installation: Installation, rule: Rule, over: int | None, state: RetentionState | None) -> Standing:
    return Standing(
        rule=rule,
        period=rule.period(installation.settings),
        over=over,
        ran_at=state.ran_at if state else None,
        purged=state.purged if state else 0,
        next_at=state.ran_at + rule.every if state else None,
        failed_at=state.failed_at if state else None,
        error=state.error if state else None,
    )


async def _count(session: Session, installation: Installation, rule: Rule) -> int | None:
    try:
        return await rule.due(session, installation)
    except Exception as error:
        _log.error("retention_not_counted", rule=rule.name, kind=type(error).__name__, where=where(error))
        return None


async def failing(session: Session) -> list[RetentionState]:
    """Give the rules that failed when they last ran: what is over stays meanwhile, so this is to be shown loud."""
    return [state for state in (await runs.states(session)).values() if state.failed_at is not None]
