"""Writing down the people of a slice: as asked, as agreed before, or as never to be mailed.

Many rows at once: COPY on PostgreSQL, many values for one statement on SQLite, and no object for any of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import bindparam, func, update

from newsletter.addresses import Address
from newsletter.agreements.actions import Agreed, Grounds, Origin, record_agreed
from newsletter.agreements.ending import Cause
from newsletter.agreements.traces import suppression
from newsletter.database import Session, table_of, write_rows
from newsletter.imports.reading.rows import NAMES, Person
from newsletter.imports.reading.status import Standing
from newsletter.imports.tables import Import
from newsletter.imports.working.judging import Judged
from newsletter.installation import Installation
from newsletter.signup.actions import Asked, ask_all
from newsletter.signup.offers import Offer, Wording
from newsletter.signup.rules import Signup
from newsletter.subscribers.tables import MeasurementChoice, Subscriber, Subscription, SubscriptionState
from newsletter.tokens import new_id

CHANNEL = "import"
_SUBSCRIBERS = table_of(Subscriber)
_SUBSCRIPTIONS = table_of(Subscription)
_CAUSES = {Standing.LEFT: Cause.WITHDRAWN, Standing.DEAD: Cause.DEAD, Standing.NEVER: Cause.NEVER_AGAIN}


def origin(job: Import) -> Origin:
    """Give where the declarations of an import came from."""
    actor = "api key" if job.actor.startswith("key/") else "system" if job.actor == "cli" else "editor"
    return Origin(actor, CHANNEL)


def notice(job: Import, offer: Offer, language: str | None) -> Wording:
    """Give the notice that holds for somebody of that language."""
    return offer.in_force(language or offer.language) if job.notice == "current" else offer.ever(job.notice)


async def ask(session: Session, installation: Installation, job: Import, offer: Offer, judged: Judged) -> None:
    """Ask each of them to confirm, by a letter; they are nothing here before they do."""
    hours = installation.settings.retention_unconfirmed
    wanted = []
    for person in judged.taken:
        shown = notice(job, offer, person.language)
        details = {name: getattr(person, name) for name in NAMES}
        signup = Signup(Address(person.email, person.canonical), person.language or shown.language, details)
        asked = Asked(shown, False, origin(job), hours, source=job.source, evidence_hash=job.evidence_hash or None)
        wanted.append((job.newsletter_id, signup, asked))
    if wanted:
        await ask_all(session, installation, wanted, bulk=True)


async def record(session: Session, installation: Installation, job: Import, offer: Offer, judged: Judged) -> None:
    """Subscribe them, with the agreement that they gave before. Details of those who are here are only filled in."""
    now = installation.clock.now()
    subscribers, subscriptions, agreed, filled = [], [], [], []
    agreeing = _Agreeing(job, offer)
    for person in judged.taken:
        here = judged.here.get(person.canonical)
        subscriber_id = here.subscriber_id if here else new_id()
        language = person.language or offer.language
        if here:
            filled += _filled(subscriber_id, here.empty, person)
        else:
            subscribers.append(_subscriber(subscriber_id, person, language, now))
        subscription_id = new_id()
        subscriptions.append(_subscription(subscription_id, subscriber_id, agreeing.newsletter_id, now))
        agreed.append(agreeing.of(person, subscription_id))
    await write_rows(session, _SUBSCRIBERS, subscribers)
    await write_rows(session, _SUBSCRIPTIONS, subscriptions)
    await record_agreed(session, installation, agreed)
    if filled:
        await _fill(session, filled)


def _subscriber(subscriber_id: str, person: Person, language: str, now: datetime) -> dict[str, Any]:
    return {
        "id": subscriber_id,
        "email": person.email,
        "canonical": person.canonical,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "title": person.title,
        "employer": person.employer,
        "language": language,
        "measurement": MeasurementChoice.UNKNOWN.value,
        "created_at": now,
    }


def _subscription(subscription_id: str, subscriber_id: str, newsletter_id: str, now: datetime) -> dict[str, Any]:
    return {
        "id": subscription_id,
        "subscriber_id": subscriber_id,
        "newsletter_id": newsletter_id,
        "state": SubscriptionState.ACTIVE.value,
        "created_at": now,
    }


class _Agreeing:
    """Makes the agreements of an import: what is the same in all of them is looked up once."""

    def __init__(self, job: Import, offer: Offer) -> None:
        self.newsletter_id = job.newsletter_id
        self._origin, self._source = origin(job), job.source
        self._evidence = job.evidence_hash or job.file_hash
        self._detail = f"import {job.id}"
        self._grounds = Grounds(job.gdpr_basis, job.marketing_basis, None, job.opt_out_shown)
        self._notice = cache(partial(notice, job, offer))

    def of(self, person: Person, subscription_id: str) -> Agreed:
        """Give the agreement of one of them."""
        grounds, detail = self._grounds, self._detail
        if person.sale_reference:
            grounds = replace(grounds, sale_reference=person.sale_reference)
        if person.agreed_at:
            detail += f", agreed {person.agreed_at:%Y-%m-%dT%H:%M:%SZ}"
        shown = self._notice(person.language)
        return Agreed(
            self.newsletter_id, subscription_id, shown, grounds, self._origin, self._source, self._evidence, detail
        )


def _filled(subscriber_id: str, empty: Sequence[str], person: Person) -> list[dict[str, Any]]:
    values = {name: getattr(person, name) for name in empty if getattr(person, name)}
    return [{"of_subscriber": subscriber_id, **dict.fromkeys(NAMES), **values}] if values else []


async def _fill(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    table = _SUBSCRIBERS
    # What is there stays, also where it came a moment ago.
    values = {name: func.coalesce(table.c[name], bindparam(f"new_{name}", type_=table.c[name].type)) for name in NAMES}
    statement = update(table).where(table.c.id == bindparam("of_subscriber")).values(values)
    named = [{"of_subscriber": row["of_subscriber"]} | {f"new_{name}": row[name] for name in NAMES} for row in rows]
    await (await session.connection()).execute(statement, named)


async def suppress(session: Session, installation: Installation, job: Import, people: Sequence[Person]) -> None:
    """See to it that no import brings them: to this newsletter where they left it, to none where they can't be reached
    or never want to be.
    """
    for standing, cause in _CAUSES.items():
        canonicals = [person.canonical for person in people if person.standing is standing]
        scope = job.newsletter_id if standing is Standing.LEFT else None
        if canonicals:
            await suppression.suppress(session, installation, canonicals, cause, scope)
