"""What is the same for everybody who agrees to a newsletter at a time (RULES A10): named by the hash of its words.

It is read from the live configuration and the declarations of what is personal, so it can't drift from what the system
does. A new hash is made when something of it changes; the agreements given before keep theirs.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlmodel import SQLModel, col, select

from newsletter.agreements.tables import Agreement, AgreementEvent, AgreementTerms
from newsletter.database import Session, insert
from newsletter.installation import Installation
from newsletter.newsletters import processors
from newsletter.newsletters.controller import responsible_for
from newsletter.newsletters.processor_tables import Processor
from newsletter.newsletters.tables import Newsletter
from newsletter.personal import declarations
from newsletter.subscribers.tables import Subscriber

SCHEMA = "newsletter-terms/1"
Working = tuple[Processor, Collection[str] | None]
_OF_THE_PERSON = {table.__tablename__ for table in (Subscriber, Agreement, AgreementEvent)}


async def current(session: Session, installation: Installation, newsletter_ids: Sequence[str]) -> Mapping[str, str]:
    """Give the hash of the terms that hold now, for each of the newsletters, written down where they are new."""
    query = select(Newsletter).where(col(Newsletter.id).in_(sorted(set(newsletter_ids))))
    newsletters = (await session.exec(query)).all()
    recipients = await processors.of_newsletters(session, [newsletter.id for newsletter in newsletters])
    bodies = {newsletter.id: body(installation, newsletter, recipients[newsletter.id]) for newsletter in newsletters}
    hashes = {newsletter_id: hashlib.sha256(text.encode()).hexdigest() for newsletter_id, text in bodies.items()}
    known = select(AgreementTerms.hash).where(col(AgreementTerms.hash).in_(sorted(set(hashes.values()))))
    there = set((await session.exec(known)).all())
    for newsletter_id, text in bodies.items():
        if hashes[newsletter_id] not in there:
            values = {"hash": hashes[newsletter_id], "body": text, "created_at": installation.clock.now()}
            await session.execute(insert(session, AgreementTerms).values(values).on_conflict_do_nothing())
    return hashes


def body(installation: Installation, newsletter: Newsletter, recipients: Sequence[Processor]) -> str:
    """Give the terms of a newsletter as canonical JSON: its keys sorted, without blanks."""
    company = responsible_for(installation.settings, newsletter)
    content = {
        "schema": SCHEMA,
        "newsletter": {"id": newsletter.id, "name": newsletter.name},
        "jurisdiction": "NO",
        "controller": {
            "name": company.name,
            "organisation_number": company.organisation_number,
            "address": company.address,
            "contact": company.contact,
            "data_protection_officer": company.data_protection_officer,
        },
        "purposes": [f"sending the newsletter {newsletter.name}", *sorted({data["purpose"] for data in _data()})],
        "data": _data(),
        "measurement": newsletter.measurement,
        "recipients": [
            {"name": one.name, "purpose": one.purpose, "country": one.country, "transfer_ground": one.transfer_ground}
            for one in recipients
        ],
        "withdrawal": {
            "one_click": "the link in every issue",
            "page": installation.url("/my"),
            "contact": company.contact,
        },
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@cache
def _data() -> Sequence[dict[str, Any]]:
    """Give what is held of a person, from the declarations; only the address is not optional (RULES A5)."""
    return [
        {
            "field": f"{column.table.name}.{column.name}",
            "category": str(declared.category),
            "purpose": declared.purpose,
            "retention": declared.retention,
            "optional": bool(column.nullable) and column.table.name == "subscriber",
        }
        for column, declared in declarations(SQLModel.metadata)
        if column.table.name in _OF_THE_PERSON
    ]
