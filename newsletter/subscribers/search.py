"""Searching a newsletter's subscribers, page by page: by a whole address, or by how an address or a name begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from newsletter.addresses import canonical
from newsletter.database import Session
from newsletter.subscribers.actions import DETAILS
from newsletter.subscribers.tables import Subscriber, Subscription

PAGE = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search: each subscription of the newsletter with its subscriber, and where the next page begins."""

    items: Sequence[tuple[Subscription, Subscriber]]
    next: str | None


async def search(session: Session, newsletter_id: str, text: str, after: str | None = None) -> Found:
    """Find subscribers of a newsletter whose address or name begins with `text` (a whole address finds one).

    Pages of 50, ordered by id, which is random; `after` is the last id of the page before.
    """
    query = (
        select(Subscription, Subscriber)
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(Subscription.newsletter_id == newsletter_id)
        .order_by(col(Subscription.id))
        .limit(PAGE + 1)
    )
    if after:
        query = query.where(col(Subscription.id) > after)
    if wanted := canonical(text.strip()):
        query = query.where(matching(Subscriber, wanted))
    rows = (await session.exec(query)).all()
    return Found(rows[:PAGE], rows[PAGE - 1][0].id if len(rows) > PAGE else None)


def matching(people: Any, wanted: str) -> ColumnElement[bool]:
    """Give the condition that a row of `people`, a table with an address and the optional details, is looked for.

    A whole address finds that one alone; anything else what an address holds, or a name begins with.
    """
    if "@" in wanted.strip("@"):
        return col(people.canonical) == wanted
    # SQLite's lower() knows ASCII alone: øde must find Ødegård there, too.
    spellings = set() if wanted.isascii() else {wanted.capitalize(), wanted.title()}
    found = col(people.canonical).contains(wanted, autoescape=True)
    for field in DETAILS:
        name = col(getattr(people, field))
        for spelling in sorted(spellings):
            found = found | name.startswith(spelling, autoescape=True)
        found = found | func.lower(name).startswith(wanted, autoescape=True)
    return found
