"""Notice mailings: starting one, and steering it. Its letters are put into the outbox by `feeding`."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, update
from sqlmodel import col, select

from newsletter.agreements.tables import Notice
from newsletter.database import Session, database_seconds
from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.installation import Installation
from newsletter.mail.tables import Letter
from newsletter.renewal.announcing.audience import count_behind, line_at
from newsletter.renewal.announcing.feeding import settle_lost
from newsletter.renewal.tables import (
    NoticeMailing,
    NoticeMailingKind,
    NoticeMailingState,
    RenewalLetter,
    RenewalState,
)
from newsletter.tokens import new_id

MOST_DAYS = 365
_STEPS = {
    "pause": ((NoticeMailingState.SENDING,), NoticeMailingState.PAUSED),
    "resume": ((NoticeMailingState.PAUSED,), NoticeMailingState.SENDING),
    "cancel": (
        (NoticeMailingState.SENDING, NoticeMailingState.PAUSED, NoticeMailingState.ANSWERING),
        NoticeMailingState.CANCELLED,
    ),
}


@dataclass(frozen=True, slots=True)
class Telling:
    """How readers hear of a new notice: the kind, and for a question how many days to answer and what if they don't."""

    kind: NoticeMailingKind
    days: int = 0
    ends: bool = False

    def check(self) -> None:
        """Raise InvalidInput where it won't do."""
        if self.kind is NoticeMailingKind.RECONFIRMATION and not 1 <= self.days <= MOST_DAYS:
            sentence = f"Give readers between 1 and {MOST_DAYS} days to answer."
            raise InvalidInput(sentence, {"days": sentence})


async def start(
    session: Session, installation: Installation, newsletter_id: str, notice: Notice, valid_from: datetime, how: Telling
) -> NoticeMailing:
    """Let a mailing begin about a notice that was put in force, or is planned. Raises InvalidInput.

    A planned notice is announced at once; but nobody is asked to agree to it before it is in force.
    """
    how.check()
    now = installation.clock.now()
    await session.flush()
    line = await line_at(session, newsletter_id, notice.language, valid_from)
    mailing = NoticeMailing(
        id=new_id(),
        newsletter_id=newsletter_id,
        notice_hash=notice.hash,
        language=notice.language,
        kind=how.kind,
        state=NoticeMailingState.SENDING,
        valid_from=valid_from,
        starts_at=now if how.kind is NoticeMailingKind.ANNOUNCEMENT else valid_from,
        days=how.days,
        ends=how.ends,
        created_at=now,
        audience=await count_behind(session, newsletter_id, line),
    )
    session.add(mailing)
    await session.flush()
    return mailing


async def by_id(session: Session, mailing_id: str) -> NoticeMailing:
    """Give the notice mailing of that id. Raises NotFound."""
    mailing = await session.get(NoticeMailing, mailing_id)
    if mailing is None:
        raise NotFound("There is no such mailing.")
    return mailing


async def of_newsletter(session: Session, newsletter_id: str) -> list[NoticeMailing]:
    """Give the notice mailings of a newsletter, the last one first."""
    query = select(NoticeMailing).where(NoticeMailing.newsletter_id == newsletter_id)
    return list((await session.exec(query.order_by(col(NoticeMailing.created_at).desc()))).all())


async def steer(session: Session, installation: Installation, mailing_id: str, verb: str) -> NoticeMailing:
    """Pause, resume or cancel a notice mailing. Raises NotFound, or Conflict where that can't be done now."""
    if verb not in _STEPS:
        raise NotFound("There is nothing at this address.")
    await session.get(NoticeMailing, mailing_id, with_for_update=True)
    mailing = await by_id(session, mailing_id)
    before, after = _STEPS[verb]
    if mailing.state not in before:
        raise Conflict(f"This mailing is {mailing.state}, so it can't be {after} now.")
    mailing.state = after
    if verb == "resume":
        now = installation.clock.now()
        waiting = _waiting_letters(mailing.id)
        await session.execute(update(Letter).where(waiting).values(due_at=now, created_at=now))
    if verb == "cancel":
        mailing.finished_at = installation.clock.now()
        await _let_go(session, installation, mailing)
    return mailing


def _waiting_letters(mailing_id: str) -> ColumnElement[bool]:
    rows = select(RenewalLetter.id).where(
        RenewalLetter.mailing_id == mailing_id, RenewalLetter.state == RenewalState.WAITING
    )
    return col(Letter.id).in_(rows)


async def _let_go(session: Session, installation: Installation, mailing: NoticeMailing) -> None:
    """Take what waits out of the outbox, but for what is on the wire just now: that will be counted as sent."""
    waiting = _waiting_letters(mailing.id)
    await session.execute(delete(Letter).where(waiting, col(Letter.leased_until) < database_seconds()))
    mailing.left_out += await settle_lost(session, installation, mailing.id, RenewalState.LEFT_OUT, everybody=True)


async def cancel_about(
    session: Session, installation: Installation, newsletter_id: str, notice_hash: str, valid_from: datetime
) -> None:
    """Cancel the mailings about a planned notice that was taken back."""
    query = select(NoticeMailing).where(
        NoticeMailing.newsletter_id == newsletter_id,
        NoticeMailing.notice_hash == notice_hash,
        NoticeMailing.valid_from == valid_from,
        col(NoticeMailing.state).in_(_STEPS["cancel"][0]),
    )
    for mailing in (await session.exec(query)).all():
        await steer(session, installation, mailing.id, "cancel")
