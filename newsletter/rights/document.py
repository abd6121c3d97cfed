"""What is held about a person as a file for other programs (GDPR art. 20): JSON, every field named and explained.

`held` holds every column that is declared personal and has a value, with what it is for and until when it is kept: it
is read from the declarations, so nothing is left out. Each agreement is there with its signature, as JSON-LD.
docs/my-page.md explains the fields.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from newsletter.agreements import export
from newsletter.agreements.record import Record
from newsletter.installation import Installation
from newsletter.newsletters.controller import responsible_for
from newsletter.newsletters.tables import Newsletter
from newsletter.rights.access import HeldRequest, HeldSubscription, Holding
from newsletter.signup.rules import FIELDS

FORMAT = "newsletter/person/1"
PERSON = ("email", *FIELDS, "language", "measurement", "restricted_at", "created_at")


def as_json(installation: Installation, holding: Holding) -> bytes:
    """Give everything held as JSON, its times in UTC."""
    content = {
        "format": FORMAT,
        "made_at": holding.at,
        "person": {name: getattr(holding.subscriber, name) for name in PERSON} if holding.subscriber else None,
        "subscriptions": [_subscription(installation, held) for held in holding.subscriptions],
        "requests": [_request(installation, held) for held in holding.requests],
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


def agreements_of(holding: Holding) -> Iterator[Record]:
    """Give every agreement of a holding, those that wait for their mailbox, too."""
    for held in holding.subscriptions:
        yield from held.agreements
    for request in holding.requests:
        if request.agreement is not None:
            yield request.agreement


def _subscription(installation: Installation, held: HeldSubscription) -> dict[str, Any]:
    return {
        "newsletter": held.newsletter.name,
        "state": held.subscription.state,
        "since": held.subscription.created_at,
        "ended_at": held.subscription.ended_at,
        "agreements": [json.loads(export.signed(installation, record)) for record in held.agreements],
    }


def _request(installation: Installation, held: HeldRequest) -> dict[str, Any]:
    return {
        "newsletter": held.newsletter.name,
        "asked_at": held.request.requested_at,
        "deleted_at": held.request.expires_at,
        **{name: getattr(held.request, name) for name in ("email", *FIELDS, "language")},
        "agreement": json.loads(export.signed(installation, held.agreement)) if held.agreement else None,
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
