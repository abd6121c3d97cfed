"""What is held about a person as a file for other programs (GDPR art. 20): JSON, every field named and explained.

`held` holds every column that is declared personal and has a value, with what it is for and until when it is kept: it
is read from the declarations, so nothing is left out. Each agreement is there with its signature, as JSON-LD.
docs/my-page.md explains the fields.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from newsletter.agreements.proof import export, record
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.newsletters.controller import responsible_for
from newsletter.newsletters.tables import Newsletter
from newsletter.rights.holding import HeldAgreement, HeldRequest, HeldSubscription, Holding
from newsletter.signup.rules import FIELDS

FORMAT = "newsletter/person/1"
PERSON = ("email", *FIELDS, "language", "measurement", "restricted_at", "created_at")


async def as_json(session: Session, installation: Installation, holding: Holding) -> bytes:
    """Give everything held as JSON, its times in UTC."""
    signed = {each.agreement.id: await signed_record(session, installation, each) for each in agreements_of(holding)}
    content = {
        "format": FORMAT,
        "made_at": holding.at,
        "person": {name: getattr(holding.subscriber, name) for name in PERSON} if holding.subscriber else None,
        "subscriptions": [_subscription(held, signed) for held in holding.subscriptions],
        "requests": [_request(held, signed) for held in holding.requests],
        "issues": [asdict(issue) for issue in holding.issues],
        "tags": [asdict(tag) for tag in holding.tags],
        "held": [
            {
                "column": f"{value.table}.{value.column}",
                "value": value.value,
                "category": value.declared.category,
                "purpose": value.declared.purpose,
                "retention": value.declared.retention,
            }
            for value in holding.values
        ],
        "controllers": [_controller(installation, holding, newsletter) for newsletter in holding.newsletters],
    }
    return json.dumps(content, ensure_ascii=False, indent=2, default=_plain).encode()


def agreements_of(holding: Holding) -> Iterator[HeldAgreement]:
    """Give every agreement of a holding, those that wait for their mailbox, too."""
    for held in holding.subscriptions:
        yield from held.agreements
    for request in holding.requests:
        yield from request.agreements


async def signed_record(session: Session, installation: Installation, held: HeldAgreement) -> bytes:
    """Give the signed record of an agreement as JSON-LD."""
    return export.signed(installation, await record.record_of(session, installation, held.agreement.id))


def _subscription(held: HeldSubscription, signed: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "newsletter": held.newsletter.name,
        "state": held.subscription.state,
        "since": held.subscription.created_at,
        "ended_at": held.subscription.ended_at,
        "agreements": [json.loads(signed[each.agreement.id]) for each in held.agreements],
    }


def _request(held: HeldRequest, signed: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "newsletter": held.newsletter.name,
        "asked_at": held.request.requested_at,
        "deleted_at": held.request.expires_at,
        **{name: getattr(held.request, name) for name in ("email", *FIELDS, "language")},
        "agreements": [json.loads(signed[each.agreement.id]) for each in held.agreements],
    }


def _controller(installation: Installation, holding: Holding, newsletter: Newsletter) -> dict[str, Any]:
    return {
        "newsletter": newsletter.name,
        **asdict(responsible_for(installation.settings, newsletter)),
        "processors": [
            {"name": one.name, "purpose": one.purpose, "country": one.country, "transfer_ground": one.transfer_ground}
            for one in holding.processors.get(newsletter.id, ())
        ],
    }


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
