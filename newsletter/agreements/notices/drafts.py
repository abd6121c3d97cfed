"""Writing the next notice: a draft may change as often as it likes, until it is put in force (RULES A6)."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import select

from newsletter.agreements.notices import actions as notices
from newsletter.agreements.notices import chaining
from newsletter.agreements.notices.actions import Wording
from newsletter.agreements.notices.tables import NoticeDraft
from newsletter.agreements.tables import Notice, NoticeUse
from newsletter.database import Session
from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.installation import Installation
from newsletter.language import LANGUAGES

LONGEST_LABEL = 500
LONGEST_TEXT = 20_000
CHANGED_MEANWHILE = "Somebody changed this draft since you opened the page. Please look at it once more."


async def draft_of(session: Session, newsletter_id: str, language: str) -> NoticeDraft | None:
    """Give the draft in that language. Raises NotFound for a language we don't speak."""
    if language not in LANGUAGES:
        raise NotFound("Notices are written in bokmål, nynorsk and English.")
    return await session.get(NoticeDraft, (newsletter_id, language))


async def begin_with(session: Session, installation: Installation, newsletter_id: str, language: str) -> Wording:
    """Give what a new notice begins with: the draft, else the one in force, else an empty page."""
    if draft := await draft_of(session, newsletter_id, language):
        return wording_of(draft)
    in_force = await notices.in_force(session, newsletter_id, installation.clock.now())
    current = in_force.get(language)
    return Wording(language, current.label, current.text) if current else Wording(language, "", "")


def wording_of(draft: NoticeDraft) -> Wording:
    """Give a draft's words."""
    return Wording(draft.language, draft.label, draft.text)


def read_draft(values: Mapping[str, str]) -> tuple[str, str]:
    """Read label and text of a form. Raises InvalidInput for both at once."""
    label = values.get("label", "").strip()
    text = values.get("text", "").replace("\r\n", "\n").strip() + "\n"
    wrong = {}
    if not label or len(label) > LONGEST_LABEL or not label.isprintable():
        wrong["label"] = f"What the reader says must be one line of at most {LONGEST_LABEL} characters."
    if not text.strip() or len(text) > LONGEST_TEXT:
        wrong["text"] = f"Please write the notice, in at most {LONGEST_TEXT} characters."
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), wrong)
    return label, text


async def save(
    session: Session, installation: Installation, newsletter_id: str, language: str, values: Mapping[str, str]
) -> NoticeDraft:
    """Keep a draft. Raises InvalidInput or NotFound."""
    label, text = read_draft(values)
    draft = await draft_of(session, newsletter_id, language)
    now = installation.clock.now()
    if draft is None:
        draft = NoticeDraft(newsletter_id=newsletter_id, language=language, label=label, text=text, changed_at=now)
        session.add(draft)
    draft.label, draft.text, draft.changed_at = label, text, now
    return draft


async def drop(session: Session, newsletter_id: str, language: str) -> None:
    """Throw a draft away; the notices in force stay. Raises NotFound."""
    if draft := await draft_of(session, newsletter_id, language):
        await session.delete(draft)


async def put_draft_in_force(
    session: Session,
    installation: Installation,
    newsletter_id: str,
    language: str,
    *,
    seen: str,
    valid_from: datetime,
    material: bool,
) -> Notice:
    """Put the draft in force that the editor has seen, whose hash is `seen`, from `valid_from` on.

    From now on its words can't change. Raises Conflict where the draft is another by now, or no change at all.
    """
    draft = await draft_of(session, newsletter_id, language)
    if draft is None or wording_of(draft).hash != seen:
        raise Conflict(CHANGED_MEANWHILE, {"form": CHANGED_MEANWHILE})
    at_that_time = (await notices.in_force(session, newsletter_id, valid_from)).get(language)
    if at_that_time is not None and at_that_time.hash == seen:
        sentence = "These are the words that will be in force then anyway."
        raise Conflict(sentence, {"form": sentence})
    wording = wording_of(draft)
    notice = await notices.put_in_force(session, installation, newsletter_id, wording, valid_from, material=material)
    await session.delete(draft)
    return notice


async def take_back(session: Session, installation: Installation, newsletter_id: str, use_id: str) -> NoticeUse:
    """Take back a version that is planned and was not shown yet: it is a draft again, unless there is one by now.

    Raises NotFound, or Conflict where it is in force already.
    """
    found = await session.exec(
        select(NoticeUse).where(NoticeUse.id == use_id, NoticeUse.newsletter_id == newsletter_id).with_for_update()
    )
    use = found.first()
    if use is None:
        raise NotFound("There is no such planned notice.")
    if use.valid_from <= installation.clock.now():
        raise Conflict("This notice is in force already. Write another one that follows it.")
    notice = await session.get_one(Notice, use.notice_hash)
    if await draft_of(session, newsletter_id, use.language) is None:
        await save(session, installation, newsletter_id, use.language, {"label": notice.label, "text": notice.text})
    await chaining.note_taken_back(session, installation, use)
    await session.delete(use)
    return use
