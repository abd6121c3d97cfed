"""The memory of retention: how each rule stands, and the runs in which it purged something or failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select

from newsletter.database import Session, insert, rows_of
from newsletter.installation import Installation
from newsletter.retention.tables import RetentionRun, RetentionState
from newsletter.tokens import new_id

_MONTH = timedelta(days=30)
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run of one rule. `error` is the kind of the error where it failed, and never its words."""

    rule: str
    purged: int
    seconds: float
    error: str | None = None


async def record(session: Session, installation: Installation, ran: Ran) -> None:
    """Write down what came of a run."""
    now = installation.clock.now()
    known = await session.get(RetentionState, ran.rule)
    failed_at = None if ran.error is None else (known.failed_at if known else None) or now
    values = {
        "ran_at": now,
        "purged": ran.purged,
        "seconds": ran.seconds,
        "failed_at": failed_at,
        "error": ran.error,
    }
    statement = insert(session, RetentionState).values(rule=ran.rule, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["rule"], set_=values))
    if ran.purged or ran.error:
        session.add(
            RetentionRun(id=new_id(), rule=ran.rule, at=now, purged=ran.purged, seconds=ran.seconds, error=ran.error)
        )


async def states(session: Session) -> dict[str, RetentionState]:
    """Give how each rule that ever ran stands, by its name."""
    return {state.rule: state for state in (await session.exec(select(RetentionState))).all()}


async def latest(session: Session) -> Sequence[RetentionRun]:
    """Give the runs in which something was purged or failed, the newest first, at most 50."""
    newest = (col(RetentionRun.at).desc(), col(RetentionRun.id).desc())
    return (await session.exec(select(RetentionRun).order_by(*newest).limit(_SHOWN))).all()


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many runs are too old to be remembered."""
    old = col(RetentionRun.at) < installation.clock.now() - installation.settings.retention_audit * _MONTH
    return (await session.exec(select(func.count()).select_from(RetentionRun).where(old))).one()


async def purge_expired(session: Session, installation: Installation) -> int:
    """Forget the runs that are too old; give how many."""
    old = col(RetentionRun.at) < installation.clock.now() - installation.settings.retention_audit * _MONTH
    return rows_of(await session.execute(delete(RetentionRun).where(old)))
