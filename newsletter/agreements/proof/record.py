"""Everything that is on record of one agreement, gathered to be shown and exported (RULES A6, A10)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from newsletter.agreements.proof import sealing
from newsletter.agreements.proof.chaining import chain_of
from newsletter.agreements.tables import Agreement, AgreementEvent, AgreementTerms, EventKind, Notice
from newsletter.chain import actions as chain
from newsletter.database import Session
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.subscribers.tables import Subscriber, Subscription

_ORDER = list(EventKind)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event. `is_proven` says that it is as it was written down: its seal is ours, or its place in the chain holds
    it; `entry_hash` is the hash of that place, where it has one.
    """

    event: AgreementEvent
    is_proven: bool
    entry_hash: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """An agreement with its newsletter, the notice as shown, the terms of its time, its events, and whose it is.

    `subscriber` is None as long as the request waits for its mailbox.
    """

    agreement: Agreement
    newsletter: Newsletter
    notice: Notice
    terms: Mapping[str, Any]
    events: Sequence[Recorded]
    subscriber: Subscriber | None

    @property
    def chain(self) -> str:
        """Give the name of the chain its events are in."""
        return chain_of(self.newsletter.id)

    @property
    def language(self) -> str:
        """Give the language in which it was agreed."""
        return self.notice.language


async def record_of(session: Session, installation: Installation, agreement_id: str) -> Record:
    """Gather what is on record of an agreement. Raises NotFound."""
    agreement = await session.get(Agreement, agreement_id)
    if agreement is None:
        raise NotFound("There is no such agreement here. With the person who gave it, it would have been deleted.")
    terms = await session.get(AgreementTerms, agreement.terms_hash) if agreement.terms_hash else None
    return Record(
        agreement=agreement,
        newsletter=await session.get_one(Newsletter, agreement.newsletter_id),
        notice=await session.get_one(Notice, agreement.notice_hash),
        terms=json.loads(terms.body) if terms else {},
        events=await _events(session, installation, agreement),
        subscriber=await _subscriber(session, agreement),
    )


async def _events(session: Session, installation: Installation, agreement: Agreement) -> list[Recorded]:
    query = select(AgreementEvent).where(AgreementEvent.agreement_id == agreement.id)
    found = (await session.exec(query)).all()
    agreed = sealing.hash_of(sealing.agreed(agreement.model_dump()))
    recorded = []
    for event in sorted(found, key=lambda each: (each.at, _ORDER.index(EventKind(each.kind)))):
        content = sealing.happened(event.model_dump(), agreed, agreement.subscription_id)
        entry = await chain.entry(session, chain_of(agreement.newsletter_id), event.position or 0)
        chained = entry is not None and entry.leaf == sealing.leaf(agreement.salt, content)
        sealed = sealing.is_sealed_event(installation.keys, content, event.seal)
        recorded.append(Recorded(event, sealed or chained, entry.hash if entry and chained else None))
    return recorded


async def _subscriber(session: Session, agreement: Agreement) -> Subscriber | None:
    query = (
        select(Subscriber)
        .join(Subscription, col(Subscription.subscriber_id) == col(Subscriber.id))
        .where(Subscription.id == agreement.subscription_id)
    )
    return (await session.exec(query)).first()
