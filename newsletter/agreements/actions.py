"""Recording agreements and what happens to them. Events are appended, never changed (RULES A10).

Each agreement and each event is sealed as it is written. A signup never waits for a chain: the events are chained by
`chaining`, from when the agreement is given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from newsletter.agreements import terms
from newsletter.agreements.notices.actions import Shown
from newsletter.agreements.proof import sealing
from newsletter.agreements.rules import check_bases
from newsletter.agreements.tables import DUE, Agreement, AgreementEvent, Basis, EventKind, MarketingBasis
from newsletter.database import Session, table_of, write_rows
from newsletter.installation import Installation
from newsletter.tokens import fingerprint, new_id, new_nonce

_AGREEMENTS = table_of(Agreement)
_EVENTS = table_of(AgreementEvent)
_JURISDICTION = "NO"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a declaration came from: who acted, by which channel, on which page."""

    actor: str
    channel: str
    source_page: str | None = None


@dataclass(frozen=True, slots=True)
class Grounds:
    """On which grounds somebody is written to (RULES A1). An existing customer needs the sale, and that the opt-out was
    shown at it (RULES A2).
    """

    gdpr: str = Basis.CONTRACT
    marketing: str = MarketingBasis.CONSENT
    sale_reference: str | None = None
    opt_out_shown: bool = False

    def check(self) -> None:
        """Raise InvalidInput where they don't hold."""
        check_bases(self.gdpr, self.marketing, sale_reference=self.sale_reference, opt_out_shown=self.opt_out_shown)


DEFAULT_GROUNDS = Grounds()


@dataclass(frozen=True, slots=True)
class Requested:
    """Somebody asked for a newsletter under a notice, with the signup request of that id.

    `witnessed` says whether our own form showed the wording; a third party's form is taken at its word (RULES A6).
    `source` says where the request came from, where that is not our own form or API: the file of an import.
    """

    newsletter_id: str
    request_id: str
    notice: Shown
    witnessed: bool
    origin: Origin
    grounds: Grounds = DEFAULT_GROUNDS
    source: str | None = None
    evidence_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Agreed:
    """Somebody agreed elsewhere, before they came here: an import that has its own evidence (RULES H7).

    `evidence_hash` is the SHA-256 of the file that shows it, in hex, and `detail` what that file says of when and how.
    """

    newsletter_id: str
    subscription_id: str
    notice: Shown
    grounds: Grounds
    origin: Origin
    source: str
    evidence_hash: str
    detail: str | None = None


async def request(session: Session, installation: Installation, asked: Sequence[Requested]) -> None:
    """Record what was asked for. It is no agreement until the mailbox confirms it. Raises InvalidInput for grounds that
    don't hold.
    """
    about = [{"request_id": one.request_id, "subscription_id": None, "witnessed": one.witnessed} for one in asked]
    await _record(session, installation, EventKind.REQUESTED, asked, about)


async def record_agreed(session: Session, installation: Installation, rows: Sequence[Agreed]) -> None:
    """Record agreements that were given elsewhere, many at once, each with the event that it was imported.

    Raises InvalidInput for grounds that don't hold.
    """
    about = [{"request_id": None, "subscription_id": row.subscription_id, "witnessed": False} for row in rows]
    await _record(session, installation, EventKind.IMPORTED, rows, about)


async def _record(
    session: Session,
    installation: Installation,
    kind: EventKind,
    declared: Sequence[Requested | Agreed],
    about: Sequence[dict[str, Any]],
    token_hash: str | None = None,
) -> list[str]:
    """Write agreements down, each with its first event; give their ids."""
    if not declared:
        return []
    for grounds in {one.grounds for one in declared}:
        grounds.check()
    current = await terms.current(session, installation, [one.newsletter_id for one in declared])
    agreements, events = [], []
    for one, more in zip(declared, about, strict=True):
        agreement = _agreement(one, current[one.newsletter_id]) | more
        content = sealing.agreed(agreement)
        agreements.append(agreement | {"seal": sealing.seal_agreement(installation.keys, content)})
        detail = one.detail if isinstance(one, Agreed) else None
        events.append(_event(installation, agreement, content, kind, one.origin, token_hash, detail))
    await write_rows(session, _AGREEMENTS, agreements)
    await write_rows(session, _EVENTS, events)
    return [agreement["id"] for agreement in agreements]


async def give(session: Session, installation: Installation, request_id: str, subscription_id: str, token: str) -> None:
    """Turn the request's agreement into the subscription's: the mailbox confirmed it with `token`."""
    found = await session.exec(select(Agreement).where(Agreement.request_id == request_id))
    agreement = found.one()
    agreement.request_id = None
    agreement.subscription_id = subscription_id
    waiting = update(AgreementEvent).where(
        col(AgreementEvent.agreement_id) == agreement.id, col(AgreementEvent.position).is_(None)
    )
    await session.execute(waiting.values(position=DUE))
    origin = Origin("subject", "mailbox")
    await append(session, installation, agreement.id, EventKind.GIVEN, origin, token_hash=fingerprint(token))


async def give_anew(
    session: Session, installation: Installation, before: Agreement, notice: Shown, token: str
) -> Agreement:
    """Record that a subscriber agreed to another notice than the one the agreement `before` rests on (RULES A7).

    It is an agreement of its own, given from the mailbox with `token` on the grounds of a signup. The one before keeps
    its words, and says from now on that it was renewed.
    """
    origin, token_hash = Origin("subject", "mailbox"), fingerprint(token)
    asked = Requested(before.newsletter_id, "", notice, witnessed=True, origin=origin)
    about = [{"request_id": None, "subscription_id": before.subscription_id, "witnessed": True}]
    (made,) = await _record(session, installation, EventKind.GIVEN, [asked], about, token_hash)
    await append(session, installation, before.id, EventKind.RENEWED, origin, token_hash=token_hash, detail="notice")
    return await session.get_one(Agreement, made)


async def of_request(session: Session, request_id: str) -> Agreement | None:
    """Give the agreement that waits with a signup request."""
    return (await session.exec(select(Agreement).where(Agreement.request_id == request_id))).first()


async def of_subscription(session: Session, subscription_id: str) -> list[Agreement]:
    """Give the agreements on which a subscription rests, the one given last at the end."""
    found = await session.exec(
        select(Agreement)
        .join(AgreementEvent, col(AgreementEvent.agreement_id) == col(Agreement.id))
        .where(
            Agreement.subscription_id == subscription_id,
            col(AgreementEvent.kind).in_((EventKind.GIVEN, EventKind.IMPORTED)),
        )
        .order_by(col(AgreementEvent.at), col(Agreement.id))
    )
    return list(found.all())


async def append(
    session: Session,
    installation: Installation,
    agreement_id: str,
    kind: EventKind,
    origin: Origin,
    *,
    token_hash: str | None = None,
    detail: str | None = None,
) -> None:
    """Append an event to an agreement. `detail` says what was changed (the names of fields, never their values)."""
    agreement = (await session.get_one(Agreement, agreement_id)).model_dump()
    content = sealing.agreed(agreement)
    event = _event(installation, agreement, content, kind, origin, token_hash, detail)
    session.add(AgreementEvent(**event))


def _agreement(one: Requested | Agreed, terms_hash: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "newsletter_id": one.newsletter_id,
        "notice_hash": one.notice.hash,
        "form_hash": fingerprint(one.notice.label),
        "control_label": one.notice.label,
        "jurisdiction": _JURISDICTION,
        "gdpr_basis": one.grounds.gdpr,
        "marketing_basis": one.grounds.marketing,
        "collection": one.origin.channel,
        "schema_version": 1,
        "terms_hash": terms_hash,
        "sale_reference": one.grounds.sale_reference,
        "opt_out_shown": one.grounds.opt_out_shown,
        "source": one.source,
        "evidence_hash": one.evidence_hash,
        "principal": new_id(),
        "salt": new_nonce().hex(),
    }


def _event(
    installation: Installation,
    agreement: Mapping[str, Any],
    agreed: str,
    kind: EventKind,
    origin: Origin,
    token_hash: str | None = None,
    detail: str | None = None,
) -> dict[str, Any]:
    event = {
        "id": new_id(),
        "agreement_id": agreement["id"],
        "newsletter_id": agreement["newsletter_id"],
        "kind": kind,
        "at": installation.clock.now(),
        "actor": origin.actor,
        "channel": origin.channel,
        "source_page": origin.source_page,
        "token_hash": token_hash,
        "detail": detail,
        "position": None if agreement["subscription_id"] is None else DUE,
    }
    content = sealing.happened(event, sealing.hash_of(agreed), agreement["subscription_id"])
    return event | {"seal": sealing.seal_event(installation.keys, content)}
