"""Notices: the wordings people agree to, named by the hash of their words (RULES A6)."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import nh3
from markdown_it import MarkdownIt
from sqlmodel import col, select

from newsletter.agreements.notices import chaining
from newsletter.agreements.tables import Notice, NoticeUse
from newsletter.database import Session, insert
from newsletter.installation import Installation
from newsletter.tokens import new_id

_markdown = MarkdownIt("commonmark", {"html": False})


@dataclass(frozen=True, slots=True)
class Wording:
    """What a person is shown: the language, the label of the agreement box, and the notice itself as Markdown."""

    language: str
    label: str
    text: str

    @property
    def hash(self) -> str:
        """Give the SHA-256 of the words, in hex: the notice's name."""
        words = json.dumps([self.language, self.label, self.text], ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(words.encode()).hexdigest()


class Shown(Protocol):
    """A notice as far as whoever agrees to it is concerned: its name, and the label of the agreement box."""

    @property
    def hash(self) -> str:
        """Give the SHA-256 of its words, in hex."""

    @property
    def label(self) -> str:
        """Give the label of the agreement box."""

    @property
    def language(self) -> str:
        """Give its language."""


def as_html(text: str) -> str:
    """Give a notice's Markdown as clean HTML, without headings above h3."""
    html = _markdown.render(text).replace("<h1>", "<h3>").replace("</h1>", "</h3>").replace("<h2>", "<h3>")
    return nh3.clean(
        html.replace("</h2>", "</h3>"), tags={"p", "h3", "h4", "ul", "ol", "li", "a", "strong", "em", "br"}
    )


async def put_in_force(
    session: Session,
    installation: Installation,
    newsletter_id: str,
    wording: Wording,
    valid_from: datetime | None = None,
    *,
    material: bool = False,
) -> Notice:
    """Let the newsletter show `wording` from now on, or from `valid_from` on. The same words twice are one notice.

    `material` says that readers are to hear of the change (RULES A7).
    """
    now = installation.clock.now()
    notice = Notice(
        hash=wording.hash, language=wording.language, label=wording.label, text=wording.text, created_at=now
    )
    values = notice.model_dump()
    await session.execute(insert(session, Notice).values(values).on_conflict_do_nothing())
    use = NoticeUse(
        id=new_id(),
        newsletter_id=newsletter_id,
        notice_hash=notice.hash,
        language=wording.language,
        valid_from=valid_from or now,
        material=material,
    )
    session.add(use)
    await chaining.note_shown(session, installation, use)
    return notice


async def in_force(session: Session, newsletter_id: str, at: datetime) -> dict[str, Notice]:
    """Give the notices the newsletter shows at that time, by language. Those that are planned for later are not."""
    found = await session.exec(
        select(NoticeUse.language, Notice)
        .join(Notice, col(Notice.hash) == col(NoticeUse.notice_hash))
        .where(NoticeUse.newsletter_id == newsletter_id, NoticeUse.valid_from <= at)
        .order_by(col(NoticeUse.valid_from), col(NoticeUse.id))
    )
    return dict(found.all())


async def find(session: Session, notice_hash: str) -> Notice | None:
    """Give the notice of that hash."""
    return await session.get(Notice, notice_hash)


async def has_shown(session: Session, newsletter_id: str, notice_hash: str, at: datetime) -> bool:
    """Say whether the newsletter shows that notice at that time, or ever did before."""
    found = await session.exec(
        select(NoticeUse.id).where(
            NoticeUse.newsletter_id == newsletter_id,
            NoticeUse.notice_hash == notice_hash,
            NoticeUse.valid_from <= at,
        )
    )
    return found.first() is not None
