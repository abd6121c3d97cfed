"""A newsletter's people in the console and for the API: those subscribed, and those who have yet to confirm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.addresses import canonical
from newsletter.database import Session
from newsletter.signup import actions
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers import search as subscribers
from newsletter.subscribers.tables import Subscriber, Subscription, SubscriptionState


@dataclass(frozen=True, slots=True)
class Person:
    """One line of a search. `subscriber_id` is None for somebody who has yet to confirm."""

    id: str
    subscriber_id: str | None
    email: str
    given_name: str | None
    family_name: str | None
    title: str | None
    employer: str | None
    language: str
    state: str
    since: datetime


@dataclass(frozen=True, slots=True)
class People:
    """A page of a search; `next` is where the page after it begins, or None."""

    items: Sequence[Person]
    next: str | None


async def search(session: Session, newsletter_id: str, text: str, after: str | None = None) -> People:
    """Find a newsletter's people by address or by the beginning of a name; the first page begins with those who
    wait.
    """
    found = await subscribers.search(session, newsletter_id, text, after)
    items = [_subscribed(subscription, subscriber) for subscription, subscriber in found.items]
    if after is None:
        known = {canonical(person.email) for person in items if person.state == SubscriptionState.ACTIVE}
        waiting = await actions.pending(session, newsletter_id, text)
        items = [_waiting(request) for request in waiting if request.canonical not in known] + items
    return People(items, found.next)


def _subscribed(subscription: Subscription, subscriber: Subscriber) -> Person:
    return Person(
        id=subscription.id,
        subscriber_id=subscriber.id,
        email=subscriber.email,
        given_name=subscriber.given_name,
        family_name=subscriber.family_name,
        title=subscriber.title,
        employer=subscriber.employer,
        language=subscriber.language,
        state=subscription.state,
        since=subscription.created_at,
    )


def _waiting(request: SignupRequest) -> Person:
    return Person(
        id=request.id,
        subscriber_id=None,
        email=request.email or "",
        given_name=request.given_name,
        family_name=request.family_name,
        title=request.title,
        employer=request.employer,
        language=request.language,
        state=SubscriptionState.PENDING,
        since=request.requested_at,
    )
