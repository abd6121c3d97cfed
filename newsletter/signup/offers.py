"""What a newsletter offers to whoever signs up: the notices it shows and ever showed, read in one go."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Executable, bindparam, select
from sqlmodel import col

from newsletter.agreements.tables import Notice, NoticeUse
from newsletter.database import Session
from newsletter.errors import Conflict, NotFound
from newsletter.newsletters.actions import is_slug
from newsletter.newsletters.tables import Newsletter

UNKNOWN_NEWSLETTER = "There is no newsletter of that name here."
NEVER_SHOWN = "This newsletter never showed a notice with that hash."
NOT_OPEN = "This newsletter is not open for signups yet."


class Wording(NamedTuple):
    """A notice without its text."""

    hash: str
    label: str
    language: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A newsletter, its own language, and its notices from the first to the last."""

    newsletter_id: str
    language: str
    shown: tuple[Wording, ...]

    def in_force(self, language: str) -> Wording:
        """Give the notice in force in that language, else in the newsletter's own. Raises NotFound where it has none
        yet.
        """
        latest = {notice.language: notice for notice in self.shown}
        notice = latest.get(language) or latest.get(self.language) or next(iter(latest.values()), None)
        if notice is None:
            raise NotFound(NOT_OPEN)
        return notice

    def ever(self, notice_hash: str) -> Wording:
        """Give the notice of that hash, in force or not. Raises Conflict where the newsletter never showed it."""
        for notice in self.shown:
            if notice.hash == notice_hash:
                return notice
        raise Conflict(NEVER_SHOWN, {"notice": NEVER_SHOWN})


_OFFER: Executable = (
    select(
        col(Newsletter.id),
        col(Newsletter.language).label("of_its_own"),
        col(Notice.hash),
        col(Notice.label),
        col(NoticeUse.language),
    )
    .outerjoin(
        NoticeUse,
        (col(NoticeUse.newsletter_id) == col(Newsletter.id)) & (col(NoticeUse.valid_from) <= bindparam("at")),
    )
    .outerjoin(Notice, col(Notice.hash) == col(NoticeUse.notice_hash))
    .where(col(Newsletter.slug) == bindparam("slug"))
    .order_by(col(NoticeUse.valid_from), col(NoticeUse.id))
)


async def offer(session: Session, slug: str, at: datetime) -> Offer:
    """Give what the newsletter of that slug offers at that time. Raises NotFound."""
    rows = (await session.execute(_OFFER, {"slug": slug, "at": at})).all() if is_slug(slug) else []
    if not rows:
        raise NotFound(UNKNOWN_NEWSLETTER)
    shown = tuple(Wording(*row[2:]) for row in rows if row.hash is not None)
    return Offer(rows[0].id, rows[0].of_its_own, shown)
