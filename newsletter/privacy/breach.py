"""Whom a breach would touch (GDPR art. 33, 34): how many people, and which of their data, per newsletter.

Each table of personal data is counted once, for those of its rows that belong to the newsletter: by its own newsletter,
or by what it hangs on. What belongs to no newsletter, such as a tag, is counted as a whole.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, Table, TypeDecorator, false, func, select
from sqlmodel import SQLModel, col

from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.personal import Category, Personal, declarations
from newsletter.privacy.declared import label
from newsletter.signup.actions import count_pending
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.actions import count_active
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState

PAGE = 2000


@dataclass(frozen=True, slots=True)
class TouchedData:
    """A column, and in how many rows it says something. `shared` where it can't be told apart by newsletter."""

    category: str
    label: str
    column: str
    rows: int
    shared: bool


@dataclass(frozen=True, slots=True)
class Touched:
    """Who would be touched: those who subscribe, those who have not confirmed, and what is held of them."""

    active: int
    pending: int
    data: Sequence[TouchedData]


async def touched_by(session: Session, newsletter_id: str) -> Touched:
    """Give whom a breach of everything about a newsletter would touch."""
    columns: defaultdict[Table, list[tuple[Any, Personal]]] = defaultdict(list)
    for column, said in declarations(SQLModel.metadata):
        if said.category is not Category.ACCOUNT:
            columns[column.table].append((column, said))
    data = [line for table, held in columns.items() for line in await _counted(session, table, held, newsletter_id)]
    order = list(Category)
    return Touched(
        active=await count_active(session, newsletter_id),
        pending=await count_pending(session, newsletter_id),
        data=sorted(data, key=lambda line: (order.index(Category(line.category)), line.column)),
    )


async def _counted(
    session: Session, table: Table, held: Sequence[tuple[Any, Personal]], newsletter_id: str
) -> Sequence[TouchedData]:
    within = belonging(table, newsletter_id)
    filled = [func.count(func.nullif(column, "") if _is_text(column) else column) for column, _said in held]
    query = select(*filled).select_from(table)
    row = (await session.execute(query if within is None else query.where(within))).one()
    return [
        TouchedData(
            said.category, label(f"{table.name}.{column.name}"), f"{table.name}.{column.name}", rows, within is None
        )
        for (column, said), rows in zip(held, row, strict=True)
        if rows
    ]


def _is_text(column: Any) -> bool:
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return isinstance(kind, String)


def belonging(table: Table, newsletter_id: str) -> ColumnElement[bool] | None:
    """Give the condition that a row of `table` belongs to the newsletter, or to all; None where that can't be told."""
    if table.name == "subscriber":
        return col(Subscriber.id).in_(_subscribed(newsletter_id))
    if "newsletter_id" in table.columns:
        of_all = table.c.newsletter_id.is_(None) if table.c.newsletter_id.nullable else false()
        return (table.c.newsletter_id == newsletter_id) | of_all
    for key in table.foreign_key_constraints:
        column, parent = key.elements[0].parent, key.elements[0].column
        if parent.table is not table and (within := belonging(parent.table, newsletter_id)) is not None:
            return column.in_(select(parent).where(within))
    return None


def _subscribed(newsletter_id: str) -> Any:
    return select(col(Subscription.subscriber_id)).where(
        col(Subscription.newsletter_id) == newsletter_id, col(Subscription.state) != SubscriptionState.ENDED
    )


async def people(installation: Installation, newsletter_id: str) -> AsyncIterator[Sequence[tuple[str, str, str]]]:
    """Give everybody a breach would touch, to be told (GDPR art. 34): address, language and state, in pages."""
    subscribed = select(col(Subscriber.id), col(Subscriber.email), col(Subscriber.language)).where(
        col(Subscriber.id).in_(_subscribed(newsletter_id))
    )
    asked = select(col(SignupRequest.id), col(SignupRequest.email), col(SignupRequest.language)).where(
        col(SignupRequest.newsletter_id) == newsletter_id, col(SignupRequest.email).is_not(None)
    )
    for query, key, state in (
        (subscribed, col(Subscriber.id), "subscribed"),
        (asked, col(SignupRequest.id), "not confirmed"),
    ):
        after = ""
        while True:
            # A session for each page: a slow download must not hold one open.
            async with installation.database.read() as session:
                rows = (await session.execute(query.where(key > after).order_by(key).limit(PAGE))).all()
            if not rows:
                break
            yield [(email, language, state) for _id, email, language in rows]
            after = rows[-1][0]
