"""Everything held about one address (GDPR art. 15; RULES B2): what the tables hold by their declarations, and the
agreements, subscriptions, issues and tags as what they are.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_
from sqlalchemy import select as core_select
from sqlmodel import col, select

from newsletter.agreements.tables import Agreement, AgreementEvent, EventKind, Notice
from newsletter.agreements.traces import tags
from newsletter.database import Session
from newsletter.delivery.statements import superseded
from newsletter.delivery.tables import Delivery, Mailing, Result
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.issues.tables import Issue
from newsletter.limits import actions as limits
from newsletter.newsletters import processors
from newsletter.newsletters.tables import Newsletter
from newsletter.rights.declared import values_of
from newsletter.rights.holding import HeldAgreement, HeldIssue, HeldRequest, HeldSubscription, Holding
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.actions import by_address
from newsletter.subscribers.tables import Subscriber, Subscription


async def gather(session: Session, installation: Installation, subscriber_id: str) -> Holding:
    """Give everything held about a subscriber. Raises NotFound."""
    subscriber = await session.get(Subscriber, subscriber_id)
    if subscriber is None:
        raise NotFound("Nothing is held about this person any more.")
    return await gather_by_address(session, installation, subscriber.canonical)


async def gather_by_address(session: Session, installation: Installation, canonical: str) -> Holding:
    """Give everything held about an address, which may be nothing."""
    subscriber = await by_address(session, canonical)
    subscriptions = await _subscriptions(session, subscriber) if subscriber else ()
    requests = await _requests(session, canonical)
    newsletters = [held.newsletter for held in subscriptions] + [held.newsletter for held in requests]
    concerned = {newsletter.id: newsletter for newsletter in newsletters}
    return Holding(
        at=installation.clock.now(),
        canonical=canonical,
        subscriber=subscriber,
        values=await values_of(session, canonical),
        subscriptions=subscriptions,
        requests=requests,
        issues=await _issues(session, subscriber) if subscriber else (),
        tags=[
            *await tags.held_about(session, installation, canonical),
            *await limits.held_about(session, installation, canonical),
        ],
        newsletters=list(concerned.values()),
        processors=await processors.of_newsletters(session, list(concerned)),
    )


async def _subscriptions(session: Session, subscriber: Subscriber) -> Sequence[HeldSubscription]:
    found = await session.exec(
        select(Subscription, Newsletter)
        .join(Newsletter, col(Newsletter.id) == col(Subscription.newsletter_id))
        .where(Subscription.subscriber_id == subscriber.id)
        .order_by(col(Subscription.created_at), col(Subscription.id))
    )
    return [
        HeldSubscription(
            subscription, newsletter, await _agreements(session, Agreement.subscription_id == subscription.id)
        )
        for subscription, newsletter in found.all()
    ]


async def _requests(session: Session, canonical: str) -> Sequence[HeldRequest]:
    found = await session.exec(
        select(SignupRequest, Newsletter)
        .join(Newsletter, col(Newsletter.id) == col(SignupRequest.newsletter_id))
        .where(SignupRequest.canonical == canonical)
        .order_by(col(SignupRequest.requested_at), col(SignupRequest.id))
    )
    return [
        HeldRequest(request, newsletter, await _agreements(session, Agreement.request_id == request.id))
        for request, newsletter in found.all()
    ]


async def _agreements(session: Session, theirs: Any) -> Sequence[HeldAgreement]:
    found = await session.exec(
        select(Agreement, Notice).join(Notice, col(Notice.hash) == col(Agreement.notice_hash)).where(theirs)
    )
    held = []
    for agreement, notice in found.all():
        events = await session.exec(select(AgreementEvent).where(AgreementEvent.agreement_id == agreement.id))
        held.append(HeldAgreement(agreement, notice, sorted(events.all(), key=_when)))
    return sorted(
        held, key=lambda each: (each.events[0].at if each.events else each.notice.created_at, each.agreement.id)
    )


def _when(event: AgreementEvent) -> tuple[datetime, int]:
    # What happened at one moment happened in the order in which the kinds are named.
    return event.at, list(EventKind).index(EventKind(event.kind))


async def _issues(session: Session, subscriber: Subscriber) -> Sequence[HeldIssue]:
    its = and_(col(Result.mailing_id) == col(Delivery.mailing_id), col(Result.number) == col(Delivery.number))
    found = await session.execute(
        core_select(
            col(Newsletter.name), col(Issue.number), col(Issue.subject), col(Mailing.started_at), col(Result.outcome)
        )
        .select_from(Subscription)
        .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
        .join(Mailing, col(Mailing.id) == col(Delivery.mailing_id))
        .join(Issue, col(Issue.id) == col(Mailing.issue_id))
        .join(Newsletter, col(Newsletter.id) == col(Mailing.newsletter_id))
        .outerjoin(Result, its & ~superseded())
        .where(col(Subscription.subscriber_id) == subscriber.id)
        .order_by(col(Mailing.started_at), col(Mailing.id))
    )
    return [HeldIssue(*row) for row in found.all()]
