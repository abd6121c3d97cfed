"""The statements of the busy path, made once: making one costs more than the database needs to carry it out.

They are carried out on the transaction's connection, below the session: what they give are rows, not objects.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Dialect,
    Executable,
    Result,
    Select,
    Update,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlmodel import col

from newsletter.database import Session, database_seconds, table_of
from newsletter.delivery import tables
from newsletter.delivery.rules import LEASE_SECONDS
from newsletter.delivery.tables import Block, Delivery, Mailing, MailingState
from newsletter.mail.outcome import OutcomeKind
from newsletter.subscribers.actions import mailable
from newsletter.subscribers.tables import Subscriber, Subscription

COUNTERS = ("delivered", "refused", "deferred", "in_doubt", "withdrawn")
"""The counters of a block."""

RESULT = ("mailing_id", "number", "attempt", "outcome", "stage", "code", "enhanced", "reply", "retry_at", "let_be")
"""The columns of a result, in the order in which `append` takes them."""

PERSON = ("email", "given_name", "family_name", "title", "employer", "measurement")
"""What of a subscriber their copy of an issue is written by."""

_RESULTS = table_of(tables.Result)

NOW = select(database_seconds())

STATE = select(col(Mailing.state), col(Mailing.trouble), database_seconds()).where(
    col(Mailing.id) == bindparam("mailing_id")
)

FREE = (
    select(Block)
    .join(Mailing, col(Mailing.id) == col(Block.mailing_id))
    .where(
        col(Block.mailing_id) == bindparam("mailing_id"),
        col(Mailing.state) == MailingState.SENDING,
        col(Block.finished).is_(False),
        col(Block.due_at) <= database_seconds(),
        col(Block.leased_until) < database_seconds(),
    )
    .order_by(col(Block.due_at), col(Block.number))
    .limit(1)
    .with_for_update(skip_locked=True, of=Block)
)

_MINE = and_(
    col(tables.Result.mailing_id) == col(Delivery.mailing_id), col(tables.Result.number) == col(Delivery.number)
)
# Counted, not joined: with the statistics of a moment ago PostgreSQL would go through every result there is.
TRIES = select(func.count()).where(_MINE).scalar_subquery()
"""How many results a delivery has."""


def superseded() -> ColumnElement[bool]:
    """Give the condition that a later attempt followed the result."""
    later = _RESULTS.alias()
    return exists().where(
        later.c.mailing_id == col(tables.Result.mailing_id),
        later.c.number == col(tables.Result.number),
        later.c.attempt > col(tables.Result.attempt),
    )


@lru_cache
def window(*, first_pass: bool) -> Select[Any]:
    """Give the query for the next recipients of a pass over a block, of whom each may be mailed at this moment."""
    due: ColumnElement[bool] = TRIES == 0
    if not first_pass:
        retry = exists().where(
            _MINE,
            col(tables.Result.attempt) < bindparam("pass_number"),
            col(tables.Result.outcome) == OutcomeKind.DEFERRED,
            col(tables.Result.retry_at) <= bindparam("pass_at"),
            ~superseded(),
        )
        due = or_(due, retry)
    person = [col(getattr(Subscriber, name)) for name in PERSON]
    return (
        select(col(Delivery.number), col(Subscription.id), col(Subscriber.id), *person, TRIES)
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(
            col(Delivery.mailing_id) == bindparam("mailing_id"),
            col(Delivery.number).between(bindparam("first"), bindparam("last")),
            due,
            mailable(joined=True),
        )
        .order_by(col(Delivery.number))
        .limit(bindparam("size"))
    )


@lru_cache
def hold(changed: tuple[str, ...]) -> Update:
    """Give the statement that changes these columns of a block, and renews its lease, if the lease is still ours."""
    values: dict[str, object] = {"leased_until": database_seconds() + LEASE_SECONDS}
    return (
        update(Block)
        .where(
            col(Block.mailing_id) == bindparam("of_mailing"),
            col(Block.number) == bindparam("of_number"),
            col(Block.lease) == bindparam("under_lease"),
        )
        .values(values | {name: bindparam(f"new_{name}", type_=_column(name).type) for name in changed})
        .returning(*(_column(name) for name in COUNTERS))
    )


async def execute(session: Session, statement: Executable, parameters: Mapping[str, object]) -> Result[Any]:
    """Carry out a statement on the session's connection."""
    return await (await session.connection()).execute(statement, dict(parameters))


async def append(session: Session, rows: Sequence[tuple[object, ...]]) -> None:
    """Append results; each row is in the order of `RESULT`."""
    connection = await session.connection()
    await connection.exec_driver_sql(_append_sql(connection.dialect), list(rows))


@lru_cache
def _append_sql(dialect: Dialect) -> str:
    statement = insert(_RESULTS)
    compiled = statement.compile(dialect=dialect, column_keys=RESULT)
    assert tuple(compiled.positiontup or ()) == RESULT
    return str(compiled)


def _column(name: str) -> Column[Any]:
    return table_of(Block).c[name]
