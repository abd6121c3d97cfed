"""The letters of a signup: the question, the answer to those who are subscribed already, and the copy of the agreement.

They carry no advertising, nothing that was typed into the form (RULES A8), and are never measured (RULES D4).
"""

from functools import partial

from newsletter.agreements import actions as agreements
from newsletter.agreements.notices import actions as notices
from newsletter.agreements.tables import Agreement, EventKind
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.language import translator
from newsletter.mail.letter import Button, Words
from newsletter.mail.outbox import WrittenLetter
from newsletter.mail.tables import Letter
from newsletter.newsletters.letterhead import Addressee, signature, written
from newsletter.newsletters.tables import Newsletter
from newsletter.signup.actions import confirmation_token
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.actions import active_subscription
from newsletter.subscribers.tables import Subscriber, Subscription


async def write_confirmation(installation: Installation, session: Session, letter: Letter) -> WrittenLetter | None:
    """Write the letter that a signup request leads to; None where the request is gone, confirmed or over.

    Whoever is subscribed already is told so instead, and the request is dropped: it changed nothing (RULES H3).
    """
    request = await session.get(SignupRequest, letter.request_id)
    if request is None or request.email is None or request.canonical is None:
        return None
    if request.expires_at <= installation.clock.now():
        return None  # Its link leads nowhere any more: after a long time without a relay, or in an older database.
    newsletter = await session.get_one(Newsletter, request.newsletter_id)
    addressee = Addressee(request.email, request.language)
    if await active_subscription(session, newsletter.id, request.canonical):
        words = _already(installation, newsletter, request.language)
        return written(installation, newsletter, addressee, words, partial(_drop, request.id))
    words = _question(installation, newsletter, request)
    # Whoever confirms before the relay's answer is recorded has taken the agreement out of the request.
    agreement = await agreements.of_request(session, request.id)
    sent = partial(_sent, installation, request.id, agreement.id) if agreement else None
    return written(installation, newsletter, addressee, words, sent)


def _question(installation: Installation, newsletter: Newsletter, request: SignupRequest) -> Words:
    say = translator(request.language)
    url = installation.url(f"/confirm/{confirmation_token(installation.keys, request.id)}")
    name = newsletter.name
    return Words(
        subject=say("Please confirm your subscription to %(newsletter)s") % {"newsletter": name},
        sender=name,
        before=[
            say("Somebody asked for the newsletter %(newsletter)s to be sent to this address.") % {"newsletter": name}
        ],
        button=Button(say("Read and confirm"), url),
        after=[
            say("If that was you, follow the link and press the button there. The link is valid for %(hours)s hours.")
            % {"hours": installation.settings.retention_unconfirmed},
            say("If it was not you, do nothing. You will not get the newsletter, and your address will be deleted."),
        ],
        footer=signature(installation, newsletter),
    )


def _already(installation: Installation, newsletter: Newsletter, language: str) -> Words:
    say = translator(language)
    name = {"newsletter": newsletter.name}
    return Words(
        subject=say("You are subscribed to %(newsletter)s already") % name,
        sender=newsletter.name,
        before=[
            say("Somebody asked for the newsletter %(newsletter)s to be sent to this address.") % name,
            say("You are subscribed already, so nothing has changed, and there is nothing you need to do."),
        ],
        footer=signature(installation, newsletter),
    )


async def write_welcome(
    installation: Installation, unsubscribe_url: str, session: Session, letter: Letter
) -> WrittenLetter | None:
    """Write the copy of the agreement that a new subscriber gets, with the way out and the right to object (RULES
    B4).
    """
    subscription = await session.get(Subscription, letter.subscription_id)
    if subscription is None:
        return None
    subscriber = await session.get_one(Subscriber, subscription.subscriber_id)
    newsletter = await session.get_one(Newsletter, subscription.newsletter_id)
    newest = (await agreements.of_subscription(session, subscription.id))[-1]
    notice = await notices.find(session, newest.notice_hash)
    say = translator(subscriber.language)
    name = {"newsletter": newsletter.name}
    words = Words(
        subject=say("Welcome to %(newsletter)s") % name,
        sender=newsletter.name,
        before=[
            say("You now subscribe to %(newsletter)s. This is what you agreed to; please keep it.") % name,
            say("You may object to this at any time, and leave with one click:"),
        ],
        button=Button(say("Unsubscribe"), unsubscribe_url),
        after=[
            say("What we know about you, you see, correct and delete on your own page: %(url)s")
            % {"url": installation.url("/my")},
            say("There you can also download the signed record of your agreement. Its number is %(record)s.")
            % {"record": newest.id},
        ],
        notice_text=f"{notice.label}\n\n{notice.text}" if notice else "",
        notice_html=notices.as_html(f"{notice.label}\n\n{notice.text}") if notice else "",
        footer=signature(installation, newsletter),
    )
    return written(installation, newsletter, Addressee(subscriber.email, subscriber.language), words)


async def _sent(installation: Installation, request_id: str, agreement_id: str, session: Session) -> None:
    # Locked first, as everywhere: whoever deletes the request takes its agreement and its letter along.
    await session.get(SignupRequest, request_id, with_for_update=True)
    if await session.get(Agreement, agreement_id) is not None:
        origin = agreements.Origin("system", "mail")
        await agreements.append(session, installation, agreement_id, EventKind.CONFIRMATION_SENT, origin)


async def _drop(request_id: str, session: Session) -> None:
    request = await session.get(SignupRequest, request_id, with_for_update=True)
    if request is not None:
        await session.delete(request)
