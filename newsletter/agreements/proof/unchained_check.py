"""Checking what no chain shows: events that are in none yet, or in another's than their agreement's, and agreements and
subscriptions that rest on nothing.
"""

from typing import Any

from sqlalchemy import exists, or_
from sqlmodel import col, select

from newsletter.agreements.proof import sealing
from newsletter.agreements.proof.chaining import agreed_content, chain_of, content_of, with_agreements
from newsletter.agreements.tables import DUE, Agreement, AgreementEvent, EventKind
from newsletter.chain.findings import MOST_OF_A_KIND, Fault, Finding, Findings
from newsletter.database import Session, table_of
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.subscribers.tables import Subscription, SubscriptionState

_EVENTS = table_of(AgreementEvent)
_AGREEMENTS = table_of(Agreement)
_AT_ONCE = 5_000


async def check_unchained(
    session: Session, installation: Installation, newsletter: Newsletter | None, findings: Findings
) -> None:
    """Check the events that are not in a chain, or in another's than their agreement's, and agreements without any."""
    apart = or_(
        _EVENTS.c.position.is_(None),
        _EVENTS.c.position <= DUE,
        _EVENTS.c.newsletter_id != _AGREEMENTS.c.newsletter_id,
    )
    query = with_agreements().where(apart)
    if newsletter is not None:
        query = query.where(_AGREEMENTS.c.newsletter_id == newsletter.id)
    known: dict[str, str] = {}
    rows = await session.stream(query, execution_options={"yield_per": _AT_ONCE})
    async for row in rows.mappings():
        known.clear()
        if (finding := _judge_unchained(installation, row, known)) is not None:
            findings.add(finding)


async def check_bare(session: Session, newsletter: Newsletter | None, findings: Findings) -> None:
    """Report agreements that nobody gave, and active subscriptions that rest on none."""
    given = exists().where(
        col(AgreementEvent.agreement_id) == col(Agreement.id),
        col(AgreementEvent.kind).in_((EventKind.GIVEN, EventKind.IMPORTED)),
    )
    bare = select(Agreement).where(col(Agreement.subscription_id).is_not(None), ~given).limit(MOST_OF_A_KIND)
    for agreement in (await session.exec(bare)).all():
        if newsletter is None or agreement.newsletter_id == newsletter.id:
            sentence = "nothing says that this agreement was ever given"
            name = chain_of(agreement.newsletter_id)
            findings.add(Finding(Fault.DROPPED_EVENT, sentence, name, agreement_id=agreement.id))
    rests = exists().where(
        col(Agreement.subscription_id) == col(Subscription.id),
        col(Agreement.newsletter_id) == col(Subscription.newsletter_id),
    )
    query = select(Subscription).where(Subscription.state == SubscriptionState.ACTIVE, ~rests).limit(MOST_OF_A_KIND)
    for subscription in (await session.exec(query)).all():
        if newsletter is None or subscription.newsletter_id == newsletter.id:
            sentence = f"the subscription {subscription.id} rests on no agreement"
            findings.add(Finding(Fault.DROPPED_EVENT, sentence, chain_of(subscription.newsletter_id)))


def _judge_unchained(installation: Installation, row: Any, known: dict[str, str]) -> Finding | None:
    name = chain_of(row["a_newsletter_id"])
    about: dict[str, Any] = {"chain": name, "event_id": row["id"], "agreement_id": row["agreement_id"]}
    if row["newsletter_id"] != row["a_newsletter_id"]:
        return Finding(Fault.CHANGED_EVENT, "the event was moved to another newsletter", **about)
    if not sealing.is_sealed_event(installation.keys, content_of(row, known), row["seal"]):
        if not sealing.is_sealed_agreement(installation.keys, agreed_content(row), row["a_seal"]):
            return Finding(Fault.CHANGED_AGREEMENT, "the agreement is not as this installation wrote it", **about)
        return Finding(Fault.PLANTED_EVENT, "the event is not as this installation wrote it", **about)
    is_waiting = row["position"] is None and row["a_subscription_id"] is None
    if row["position"] != DUE and not is_waiting:
        return Finding(Fault.HELD_BACK, "the event was kept from being chained", **about)
    return None
