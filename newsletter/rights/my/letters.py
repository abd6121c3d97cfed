"""The letters of my page: the link, the question to a new mailbox, and word to the old one.

They carry no advertising and nothing that was typed, and are never measured (RULES A8, D4).
"""

from functools import partial

from sqlalchemy import delete
from sqlmodel import col, select

from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.language import translator
from newsletter.mail.letter import Button, Words
from newsletter.mail.outbox import WrittenLetter
from newsletter.mail.tables import Letter
from newsletter.newsletters import actions as newsletters
from newsletter.newsletters.controller import responsible_for
from newsletter.newsletters.letterhead import Addressee, signature, written
from newsletter.newsletters.tables import Newsletter
from newsletter.rights.my import address_change, links
from newsletter.rights.my.tables import AddressChange, MyVisit
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.actions import by_address
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState


async def write_link(installation: Installation, session: Session, letter: Letter) -> WrittenLetter | None:
    """Write the letter with the link to the page; None where nothing is known of the address."""
    mailbox = await links.settle(session, installation, letter.visit_id or "")
    visit = await session.get(MyVisit, letter.visit_id)
    if mailbox is None or visit is None:
        return None
    newsletter = await _writing(session, visit.subscriber_id, visit.request_id)
    if newsletter is None:
        return None
    say = translator(visit.language)
    token = links.link_token(installation.keys, visit.id)
    words = Words(
        subject=say("The link to your page"),
        sender=newsletter.name,
        before=[
            say("Somebody asked for the link to the page where you see, correct and delete what we know about you.")
        ],
        button=Button(say("Open my page"), installation.url(f"/my/{token}")),
        after=[
            say("The link works once, within %(minutes)s minutes.")
            % {"minutes": int(links.LINK_LIFE.total_seconds() // 60)},
            say("If it was not you, do nothing. Nobody but you has this link. Please don't pass it on."),
        ],
        footer=signature(installation, newsletter),
    )
    return written(installation, newsletter, Addressee(mailbox, visit.language), words)


async def write_new_address(installation: Installation, session: Session, letter: Letter) -> WrittenLetter | None:
    """Write to the mailbox that is to be a subscriber's new one; None where that is settled already.

    Whoever is a subscriber at that address already is told so, and nothing changes: the page that asked told nobody.
    """
    change = await session.get(AddressChange, letter.change_id)
    if change is None or change.confirmed_at is not None or change.expires_at <= installation.clock.now():
        return None
    subscriber = await session.get_one(Subscriber, change.subscriber_id)
    newsletter = await _writing(session, subscriber.id, None)
    if newsletter is None:
        return None
    addressee = Addressee(change.email, subscriber.language)
    other = await by_address(session, change.canonical)
    if other is not None and other.id != subscriber.id:
        # The row stays, as it does where the address is nobody's: on their page whoever asked can't tell the two apart.
        return written(installation, newsletter, addressee, _taken(installation, newsletter, subscriber.language))
    return written(installation, newsletter, addressee, _question(installation, newsletter, subscriber, change))


def _question(
    installation: Installation, newsletter: Newsletter, subscriber: Subscriber, change: AddressChange
) -> Words:
    say = translator(subscriber.language)
    token = address_change.token(installation.keys, change.id)
    return Words(
        subject=say("Please confirm your new address"),
        sender=newsletter.name,
        before=[say("Somebody asked for their newsletters from us to be sent to this address from now on.")],
        button=Button(say("Confirm this address"), installation.url(f"/my/address/{token}")),
        after=[
            say("If that was you, follow the link and press the button there. The link is valid for %(hours)s hours.")
            % {"hours": int(address_change.LIFE.total_seconds() // 3600)},
            say("If it was not you, do nothing. Nothing is sent to you, and your address will be deleted."),
        ],
        footer=signature(installation, newsletter),
    )


def _taken(installation: Installation, newsletter: Newsletter, language: str) -> Words:
    say = translator(language)
    return Words(
        subject=say("This address has newsletters from us already"),
        sender=newsletter.name,
        before=[
            say("Somebody asked for their newsletters from us to be sent to this address from now on."),
            say(
                "You get newsletters from us here already, so nothing has changed, and there is nothing you need to do."
            ),
        ],
        footer=signature(installation, newsletter),
    )


async def write_old_address(installation: Installation, session: Session, letter: Letter) -> WrittenLetter | None:
    """Tell the old mailbox that another address has taken its place (RULES H8). Then the old one is forgotten."""
    change = await session.get(AddressChange, letter.change_id)
    if change is None:
        return None
    subscriber = await session.get_one(Subscriber, change.subscriber_id)
    newsletter = await _writing(session, subscriber.id, None)
    if newsletter is None:
        return None
    say = translator(subscriber.language)
    contact = responsible_for(installation.settings, newsletter).contact or newsletter.sender_address
    words = Words(
        subject=say("Your newsletters now go to another address"),
        sender=newsletter.name,
        before=[
            say("As was asked on your page, your newsletters from us are sent to another address from now on."),
            say("If it was not you, please write to us at once: %(contact)s") % {"contact": contact},
        ],
        footer=signature(installation, newsletter),
    )
    return written(
        installation, newsletter, Addressee(change.email, subscriber.language), words, partial(_drop, change.id)
    )


async def _drop(change_id: str, session: Session) -> None:
    await session.execute(delete(AddressChange).where(col(AddressChange.id) == change_id))


async def _writing(session: Session, subscriber_id: str | None, request_id: str | None) -> Newsletter | None:
    """Give the newsletter that writes: one of theirs, the latest first; else the first on offer."""
    theirs = (
        select(Newsletter)
        .join(Subscription, col(Subscription.newsletter_id) == col(Newsletter.id))
        .where(Subscription.subscriber_id == subscriber_id)
        .order_by(
            (col(Subscription.state) == SubscriptionState.ENDED), col(Subscription.created_at).desc(), Subscription.id
        )
    )
    if subscriber_id and (found := (await session.exec(theirs.limit(1))).first()):
        return found
    asked = select(Newsletter).join(SignupRequest, col(SignupRequest.newsletter_id) == col(Newsletter.id))
    if request_id and (found := (await session.exec(asked.where(SignupRequest.id == request_id))).first()):
        return found
    return next(iter(await newsletters.on_offer(session)), None)
