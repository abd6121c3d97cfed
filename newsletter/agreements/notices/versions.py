"""The notices of a newsletter, one after the other: which is in force, which is planned, and who agreed to which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func
from sqlmodel import col, select

from newsletter.agreements.tables import Agreement, Notice, NoticeUse
from newsletter.database import Session
from newsletter.errors import NotFound

CURRENT = "current"


class Standing(StrEnum):
    """Where a version stands at a time."""

    PLANNED = "planned"
    IN_FORCE = "in_force"
    FOLLOWED = "followed"


@dataclass(frozen=True, slots=True)
class Version:
    """A notice from when a newsletter shows it. `agreements` is how many rest on it, whenever it was shown."""

    use: NoticeUse
    notice: Notice
    standing: Standing
    agreements: int


async def versions(session: Session, newsletter_id: str, at: datetime, *, counted: bool = True) -> list[Version]:
    """Give every version of every language, the last one first; the agreements that rest on it only where `counted`."""
    rows = (
        await session.exec(
            select(NoticeUse, Notice)
            .join(Notice, col(Notice.hash) == col(NoticeUse.notice_hash))
            .where(NoticeUse.newsletter_id == newsletter_id)
            .order_by(col(NoticeUse.valid_from).desc(), col(NoticeUse.id).desc())
        )
    ).all()
    agreements = await count_agreements(session, newsletter_id) if counted else {}
    seen: set[str] = set()
    found = []
    for use, notice in rows:
        standing = Standing.FOLLOWED
        if use.valid_from > at:
            standing = Standing.PLANNED
        elif use.language not in seen:
            standing = Standing.IN_FORCE
            seen.add(use.language)
        found.append(Version(use, notice, standing, agreements.get(notice.hash, 0)))
    return found


async def count_agreements(session: Session, newsletter_id: str) -> Mapping[str, int]:
    """Give how many agreements of a newsletter rest on each notice, by its hash. Read from an index alone."""
    found = await session.exec(
        select(Agreement.notice_hash, func.count())
        .where(Agreement.newsletter_id == newsletter_id, col(Agreement.subscription_id).is_not(None))
        .group_by(col(Agreement.notice_hash))
    )
    return dict(found.all())


def find_version(found: Sequence[Version], name: str, language: str | None = None) -> Version:
    """Give the version that is named by its hash, or the `current` one of a language. Raises NotFound."""
    for version in found:
        if version.notice.hash == name:
            return version
        if name == CURRENT and version.standing is Standing.IN_FORCE and version.use.language == language:
            return version
    raise NotFound("This newsletter has no such notice.")
