"""Recording agreements and what happens to them. Events are appended, never changed (RULES A10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, insert
from sqlmodel import col, select

from newsletter.agreements.notices import Shown
from newsletter.agreements.tables import Agreement, AgreementEvent, Basis, EventKind, MarketingBasis
from newsletter.clock import Clock
from newsletter.database import Session
from newsletter.tokens import fingerprint, new_id

_AGREEMENTS: Table = Agreement.__table__  # type: ignore[attr-defined]
_EVENTS: Table = AgreementEvent.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a declaration came from: who acted, by which channel, on which page."""

    actor: str
    channel: str
    source_page: str | None = None


@dataclass(frozen=True, slots=True)
class Requested:
    """Somebody asked for a newsletter under a notice, with the signup request of that id.

    `witnessed` says whether our own form showed the wording; a third party's form is taken at its word (RULES A6).
    """

    newsletter_id: str
    request_id: str
    notice: Shown
    witnessed: bool
    origin: Origin


async def request(session: Session, clock: Clock, asked: Sequence[Requested]) -> None:
    """Record what was asked for. It is no agreement until the mailbox confirms it."""
    agreements = [_agreement(one) for one in asked]
    events = [
        _event(clock, agreement["id"], EventKind.REQUESTED, one.origin)
        for agreement, one in zip(agreements, asked, strict=True)
    ]
    await session.execute(insert(_AGREEMENTS), agreements)
    await session.execute(insert(_EVENTS), events)


def _agreement(asked: Requested) -> dict[str, Any]:
    return {
        "id": new_id(),
        "newsletter_id": asked.newsletter_id,
        "request_id": asked.request_id,
        "notice_hash": asked.notice.hash,
        "form_hash": fingerprint(asked.notice.label),
        "control_label": asked.notice.label,
        "witnessed": asked.witnessed,
        "jurisdiction": "NO",
        "gdpr_basis": Basis.CONTRACT,
        "marketing_basis": MarketingBasis.CONSENT,
        "collection": asked.origin.channel,
        "schema_version": 1,
    }


async def give(session: Session, clock: Clock, request_id: str, subscription_id: str, token: str) -> None:
    """Turn the request's agreement into the subscription's: the mailbox confirmed it with `token`."""
    found = await session.exec(select(Agreement).where(Agreement.request_id == request_id))
    agreement = found.one()
    agreement.request_id = None
    agreement.subscription_id = subscription_id
    append(session, clock, agreement.id, EventKind.GIVEN, Origin("subject", "mailbox"), token_hash=fingerprint(token))


async def of_request(session: Session, request_id: str) -> Agreement | None:
    """Give the agreement that waits with a signup request."""
    return (await session.exec(select(Agreement).where(Agreement.request_id == request_id))).first()


async def of_subscription(session: Session, subscription_id: str) -> list[Agreement]:
    """Give the agreements on which a subscription rests, the one given last at the end."""
    found = await session.exec(
        select(Agreement)
        .join(AgreementEvent, col(AgreementEvent.agreement_id) == col(Agreement.id))
        .where(Agreement.subscription_id == subscription_id, AgreementEvent.kind == EventKind.GIVEN)
        .order_by(col(AgreementEvent.at), col(Agreement.id))
    )
    return list(found.all())


def append(
    session: Session, clock: Clock, agreement_id: str, kind: EventKind, origin: Origin, *, token_hash: str | None = None
) -> None:
    """Append an event to an agreement."""
    session.add(AgreementEvent(**_event(clock, agreement_id, kind, origin), token_hash=token_hash))


def _event(clock: Clock, agreement_id: str, kind: EventKind, origin: Origin) -> dict[str, Any]:
    return {
        "id": new_id(),
        "agreement_id": agreement_id,
        "kind": kind,
        "at": clock.now(),
        "actor": origin.actor,
        "channel": origin.channel,
        "source_page": origin.source_page,
    }
