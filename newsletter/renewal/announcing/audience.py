"""Whose agreement rests on an older notice.

An agreement is older where its notice, in the language of the new one, was in force before the new one is. Who has
agreed since, in whatever language, is up to date: their agreement rests on one that is in force then, or later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from newsletter.agreements.notices import actions as notices
from newsletter.agreements.tables import Agreement, NoticeUse
from newsletter.database import Session
from newsletter.subscribers.actions import mailable
from newsletter.subscribers.tables import Subscription


@dataclass(frozen=True, slots=True)
class Line:
    """The notices on either side of a new one, by their hashes."""

    older: frozenset[str]
    up_to_date: frozenset[str]

    def is_behind(self, notice_hash: str) -> bool:
        """Say whether an agreement that rests on that notice is to hear of the new one."""
        return notice_hash in self.older


async def line_at(session: Session, newsletter_id: str, language: str, valid_from: datetime) -> Line:
    """Give the notices before and from the one in that language that is in force from `valid_from` on."""
    found = await session.exec(
        select(NoticeUse.language, NoticeUse.notice_hash, NoticeUse.valid_from)
        .where(NoticeUse.newsletter_id == newsletter_id)
        .order_by(col(NoticeUse.valid_from), col(NoticeUse.id))
    )
    older: set[str] = set()
    current: dict[str, str] = {}
    later: set[str] = set()
    for of_language, notice_hash, since in found.all():
        if since > valid_from:
            later.add(notice_hash)
            continue
        if of_language == language and language in current:
            older.add(current[language])
        current[of_language] = notice_hash
    up_to_date = frozenset({*current.values(), *later})
    return Line(frozenset(older) - up_to_date, up_to_date)


def behind(newsletter_id: str, line: Line) -> Sequence[ColumnElement[bool]]:
    """Give the conditions on `subscription` under which its subscriber is to hear of the new notice."""
    old, new = aliased(Agreement), aliased(Agreement)
    return (
        col(Subscription.newsletter_id) == newsletter_id,
        mailable(),
        exists().where(_rests(old, line.older)),
        ~exists().where(_rests(new, line.up_to_date)),
    )


def _rests(agreement: Any, hashes: frozenset[str]) -> ColumnElement[bool]:
    return (col(agreement.subscription_id) == col(Subscription.id)) & col(agreement.notice_hash).in_(sorted(hashes))


async def count_behind(session: Session, newsletter_id: str, line: Line) -> int:
    """Give how many would hear of the new notice now."""
    if not line.older:
        return 0
    query = select(func.count()).select_from(Subscription).where(*behind(newsletter_id, line))
    return (await session.exec(query)).one()


async def count_next(session: Session, newsletter_id: str, language: str, at: datetime) -> int:
    """Give how many would hear of a notice in that language that followed the one in force now."""
    line = await line_at(session, newsletter_id, language, at)
    in_force = await notices.in_force(session, newsletter_id, at)
    current = {in_force[language].hash} if language in in_force else set()
    return await count_behind(session, newsletter_id, Line(line.older | current, line.up_to_date - current))
