"""The letters about an agreement: the notice has changed, do you agree to it, you subscribe, will you renew.

They are letters of service: no advertising, never measured (RULES A7, A8, D4). Each has the way out and the way to
everything held about its reader. Right before one is written it is asked once more whether it is still to leave: not to
who has left, whose address is dead or restricted, nor to who has answered meanwhile.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import update
from sqlmodel import col, select

from newsletter.agreements import actions as agreements
from newsletter.agreements.notices import actions as notices
from newsletter.agreements.notices.diff import Paragraph, compare
from newsletter.agreements.tables import EventKind
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.mail.letter import Words
from newsletter.mail.outbox import WrittenLetter
from newsletter.mail.tables import Letter, LetterKind
from newsletter.newsletters.letterhead import Addressee, signature, written
from newsletter.newsletters.tables import Newsletter
from newsletter.renewal import words
from newsletter.renewal.announcing.audience import line_at
from newsletter.renewal.holding import Holding, holding_of
from newsletter.renewal.links import renewal_token
from newsletter.renewal.periods import SECOND, ends_on, occasion_of
from newsletter.renewal.rules import answer_until
from newsletter.renewal.tables import NoticeMailing, NoticeMailingState, RenewalLetter, RenewalState
from newsletter.subscribers.actions import mailable
from newsletter.subscribers.tables import Subscriber, Subscription
from newsletter.unsubscribe.actions import unsubscribe_token

_PUT_OFF = timedelta(days=1)
_MOST_CHANGES = 64
_CHANGES: dict[tuple[str, str], tuple[Paragraph, ...]] = {}


@dataclass(frozen=True, slots=True)
class _Matter:
    """What a letter is about, as it stands when it is written."""

    row: RenewalLetter
    mailing: NoticeMailing | None
    subscription: Subscription
    subscriber: Subscriber
    newsletter: Newsletter
    holding: Holding


@dataclass(frozen=True, slots=True)
class _Happened:
    """What is to be recorded of a letter that was sent."""

    agreement_id: str
    kind: EventKind
    detail: str | None


async def write(installation: Installation, session: Session, letter: Letter) -> WrittenLetter | None:
    """Write a letter about an agreement; None where it is no longer to leave, or not now."""
    row = await session.get(RenewalLetter, letter.id)
    if row is None:
        return None
    mailing = await session.get(NoticeMailing, row.mailing_id) if row.mailing_id else None
    if mailing is not None and mailing.state == NoticeMailingState.PAUSED:
        letter.due_at = installation.clock.now() + _PUT_OFF
        return None
    matter = await _matter(session, row, mailing)
    if matter is None or not await _still_due(session, matter):
        await _leave_out(session, installation, row)
        return None
    return await _written(installation, session, matter)


async def _matter(session: Session, row: RenewalLetter, mailing: NoticeMailing | None) -> _Matter | None:
    found = await session.exec(
        select(Subscription, Subscriber, Newsletter)
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .join(Newsletter, col(Newsletter.id) == col(Subscription.newsletter_id))
        .where(Subscription.id == row.subscription_id, mailable(joined=True))
    )
    people = found.first()
    holding = await holding_of(session, row.subscription_id) if people else None
    return _Matter(row, mailing, *people, holding) if people and holding else None


async def _still_due(session: Session, matter: _Matter) -> bool:
    """Say whether nothing has happened since that makes the letter needless."""
    mailing = matter.mailing
    if mailing is None:
        newsletter, kind = matter.newsletter, matter.row.kind
        wanted = newsletter.reminder_months if kind == LetterKind.REMINDER else newsletter.renewal_months
        return bool(wanted) and matter.row.occasion == occasion_of(kind, matter.holding)
    if mailing.state == NoticeMailingState.CANCELLED:
        return False
    line = await line_at(session, mailing.newsletter_id, mailing.language, mailing.valid_from)
    return line.is_behind(matter.holding.agreement.notice_hash)


async def _leave_out(session: Session, installation: Installation, row: RenewalLetter) -> None:
    row.state, row.at = RenewalState.LEFT_OUT, installation.clock.now()
    await _count(session, row.mailing_id, "left_out")


async def _count(session: Session, mailing_id: str | None, counter: str) -> None:
    """Add one to a mailing's counter. The last lock of its transaction, so that letters don't wait for each other."""
    if mailing_id is not None:
        await session.flush()
        one_more = {counter: getattr(NoticeMailing, counter) + 1}
        await session.execute(update(NoticeMailing).where(col(NoticeMailing.id) == mailing_id).values(one_more))


async def _written(installation: Installation, session: Session, matter: _Matter) -> WrittenLetter:
    way_out = installation.url(f"/unsubscribe/{unsubscribe_token(installation.keys, matter.subscription.id)}")
    said = await _words(installation, session, matter, way_out)
    addressee = Addressee(matter.subscriber.email, matter.subscriber.language, way_out)
    told = EventKind.NOTICE_SENT if matter.mailing else EventKind.REMINDED
    notice_hash = matter.mailing.notice_hash if matter.mailing else None
    happened = _Happened(matter.holding.agreement.id, told, notice_hash)
    sent = partial(_sent, installation, matter.row.id, matter.subscriber.id, matter.row.mailing_id, happened)
    return written(installation, matter.newsletter, addressee, said, sent)


async def _words(installation: Installation, session: Session, matter: _Matter, way_out: str) -> Words:
    kind, mailing, now = matter.row.kind, matter.mailing, installation.clock.now()
    asking = installation.url(f"/renew/{renewal_token(installation.keys, matter.row.id)}")

    def facts(link: str) -> words.Facts:
        ways = words.Ways(way_out, installation.url("/my"), link)
        said_by = signature(installation, matter.newsletter)
        return words.Facts(matter.subscriber.language, matter.newsletter.name, ways, said_by)

    if kind == LetterKind.REMINDER:
        return words.reminder(facts(way_out), matter.holding.agreed_at)
    if mailing is None:
        until = await ends_on(session, installation, matter.newsletter, matter.subscription.id, matter.holding)
        return words.renewal(facts(asking), until, last=kind == SECOND)
    changes = await _changes(session, matter.holding.agreement.notice_hash, mailing.notice_hash)
    if kind == LetterKind.NOTICE_CHANGED:
        old = matter.holding.agreement.notice_hash
        page = f"/newsletters/{matter.newsletter.slug}/notices/{mailing.notice_hash}?since={old}"
        ahead = mailing.valid_from > now
        return words.notice_changed(facts(installation.url(page)), changes, mailing.valid_from, ahead=ahead)
    return words.reconfirmation(facts(asking), changes, answer_until(now, mailing.days), ends=mailing.ends)


async def _changes(session: Session, old_hash: str, new_hash: str) -> tuple[Paragraph, ...]:
    # A hash stands for its words for ever, and thousands of letters in a row are about the same two.
    if (known := _CHANGES.get((old_hash, new_hash))) is not None:
        return known
    old, new = await notices.find(session, old_hash), await notices.find(session, new_hash)
    assert old is not None
    assert new is not None
    if len(_CHANGES) >= _MOST_CHANGES:
        _CHANGES.clear()
    changes = _CHANGES[old_hash, new_hash] = compare((old.label, old.text), (new.label, new.text))
    return changes


async def _sent(
    installation: Installation,
    row_id: str,
    subscriber_id: str,
    mailing_id: str | None,
    happened: _Happened,
    session: Session,
) -> None:
    """Record that the relay took the letter: on its row, in the agreement's history, and in the mailing's count."""
    # Locked first, as everywhere: whoever deletes the person takes their rows and letters along.
    await session.exec(select(Subscriber.id).where(Subscriber.id == subscriber_id).with_for_update())
    row = await session.get(RenewalLetter, row_id, with_for_update=True)
    if row is not None and row.state == RenewalState.WAITING:
        row.state, row.at = RenewalState.SENT, installation.clock.now()
        origin = agreements.Origin("system", "mail")
        await agreements.append(
            session, installation, happened.agreement_id, happened.kind, origin, detail=happened.detail
        )
    await _count(session, mailing_id, "sent")
