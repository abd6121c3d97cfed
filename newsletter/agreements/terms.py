"""What is the same for everybody who agrees to a newsletter at a time (RULES A10): named by the hash of its words.

It is read from the live configuration and the declarations of what is personal, so it can't drift from what the system
does. A new hash is made when something of it changes; the agreements given before keep theirs.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, exists, select
from sqlmodel import SQLModel, col

from newsletter.agreements.tables import Agreement, AgreementEvent, AgreementTerms
from newsletter.database import Session, insert, table_of
from newsletter.installation import Installation
from newsletter.newsletters.controller import responsible_for
from newsletter.newsletters.processor_tables import Processor, ProcessorUse
from newsletter.newsletters.tables import Newsletter
from newsletter.personal import declarations
from newsletter.settings import Settings
from newsletter.subscribers.tables import Subscriber

SCHEMA = "newsletter-terms/1"
_OF_THE_PERSON = {table.__tablename__ for table in (Subscriber, Agreement, AgreementEvent)}
_NEWSLETTERS = table_of(Newsletter)
_PROCESSORS = table_of(Processor)
_USES = table_of(ProcessorUse)
_LIVE = (
    select(*_NEWSLETTERS.c, *(column.label(f"processor_{column.name}") for column in _PROCESSORS.c))
    .select_from(_NEWSLETTERS)
    .outerjoin(
        _PROCESSORS,
        _PROCESSORS.c.every_newsletter
        | exists().where(_USES.c.processor_id == _PROCESSORS.c.id, _USES.c.newsletter_id == _NEWSLETTERS.c.id),
    )
    .where(_NEWSLETTERS.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_NEWSLETTERS.c.id, _PROCESSORS.c.name, _PROCESSORS.c.id)
)
_KNOWN = select(col(AgreementTerms.hash)).where(col(AgreementTerms.hash).in_(bindparam("hashes", expanding=True)))


async def current(session: Session, installation: Installation, newsletter_ids: Sequence[str]) -> Mapping[str, str]:
    """Give the hash of the terms that hold now, for each of the newsletters, written down where they are new.

    Every signup asks this: what they say is worked out anew only where something of it has changed.
    """
    live: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in (await session.execute(_LIVE, {"ids": sorted(set(newsletter_ids))})).all():
        live[row.id].append(tuple(row))
    bodies = {one: _body(installation.settings, tuple(rows)) for one, rows in live.items()}
    known = await session.execute(_KNOWN, {"hashes": sorted({words.hash for words in bodies.values()})})
    there = set(known.scalars())
    for words in bodies.values():
        if words.hash not in there:
            values = {"hash": words.hash, "body": words.text, "created_at": installation.clock.now()}
            await session.execute(insert(session, AgreementTerms).values(values).on_conflict_do_nothing())
    return {one: words.hash for one, words in bodies.items()}


class _Words(NamedTuple):
    hash: str
    text: str


@lru_cache(maxsize=256)
def _body(settings: Settings, rows: Sequence[tuple[Any, ...]]) -> _Words:
    """Give the terms by a newsletter's row, beside which stands one of its processors, or none."""
    width = len(_NEWSLETTERS.c)
    newsletter = Newsletter(**dict(zip(_NEWSLETTERS.c.keys(), rows[0][:width], strict=True)))
    working = [dict(zip(_PROCESSORS.c.keys(), row[width:], strict=True)) for row in rows]
    text = body(settings, newsletter, [Processor(**one) for one in working if one["id"] is not None])
    return _Words(hashlib.sha256(text.encode()).hexdigest(), text)


def body(settings: Settings, newsletter: Newsletter, recipients: Sequence[Processor]) -> str:
    """Give the terms of a newsletter as canonical JSON: its keys sorted, without blanks."""
    company = responsible_for(settings, newsletter)
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
        "purposes": sorted({data["purpose"] for data in _data()}),
        "data": _data(),
        "measurement": newsletter.measurement,
        "recipients": [
            {"name": one.name, "purpose": one.purpose, "country": one.country, "transfer_ground": one.transfer_ground}
            for one in recipients
        ],
        "withdrawal": {
            "one_click": "the link in every issue",
            "page": f"{settings.base_url}/my",
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
