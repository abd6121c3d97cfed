"""Everything held about one address (GDPR art. 15; RULES B2), found by the declarations of what is personal.

From the subscriber's row the walk follows every foreign key by which their deletion would delete rows, and it looks
into every table that keeps an address. So a new table with something personal shows up here by being declared, and
nothing else need be done. Agreements, subscriptions, issues and tags are added in words of their own.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKeyConstraint, Table, and_, or_
from sqlalchemy import select as core_select
from sqlmodel import SQLModel, col, select

from newsletter.agreements import tags
from newsletter.agreements.tables import Agreement, AgreementEvent, EventKind, Notice
from newsletter.agreements.tags import HeldTag
from newsletter.database import Session
from newsletter.delivery.statements import superseded
from newsletter.delivery.tables import Delivery, Mailing, Result
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.issues.tables import Issue
from newsletter.newsletters import processors
from newsletter.newsletters.processor_tables import Processor
from newsletter.newsletters.tables import Newsletter
from newsletter.personal import Personal, addressed, declarations
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.actions import by_address
from newsletter.subscribers.tables import Subscriber, Subscription


@dataclass(frozen=True, slots=True)
class HeldValue:
    """One thing that is kept: in which column, what, and what the declaration says of it."""

    table: str
    column: str
    value: Any
    declared: Personal


@dataclass(frozen=True, slots=True)
class HeldAgreement:
    """An agreement, the notice as it was shown, and what has happened, from the first to the last."""

    agreement: Agreement
    notice: Notice
    events: Sequence[AgreementEvent]


@dataclass(frozen=True, slots=True)
class HeldSubscription:
    """A subscription, to which newsletter, and the agreements on which it rests."""

    subscription: Subscription
    newsletter: Newsletter
    agreements: Sequence[HeldAgreement]


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """A signup that the mailbox has not confirmed yet, with the agreement that waits with it."""

    request: SignupRequest
    newsletter: Newsletter
    agreements: Sequence[HeldAgreement]


@dataclass(frozen=True, slots=True)
class HeldIssue:
    """An issue that was for them: when its mailing began, and what became of it; None where it still waits."""

    newsletter: str
    number: int
    subject: str
    began_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Holding:
    """Everything held about an address at a moment. `subscriber` is None where nothing but requests or tags are.

    `newsletters` are those concerned; `processors` are by the newsletter's id.
    """

    at: datetime
    canonical: str
    subscriber: Subscriber | None
    values: Sequence[HeldValue]
    subscriptions: Sequence[HeldSubscription]
    requests: Sequence[HeldRequest]
    issues: Sequence[HeldIssue]
    tags: Sequence[HeldTag]
    newsletters: Sequence[Newsletter]
    processors: Mapping[str, Sequence[Processor]]

    @property
    def empty(self) -> bool:
        """Say whether nothing at all is held."""
        return not (self.values or self.tags)


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
        values=await _values(session, canonical),
        subscriptions=subscriptions,
        requests=requests,
        issues=await _issues(session, subscriber) if subscriber else (),
        tags=await tags.held_about(session, installation, canonical),
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


async def _values(session: Session, canonical: str) -> Sequence[HeldValue]:
    declared = _declared()
    parents = {key.referred_table.name for key in _cascades()}
    by_spelling = {table.name for table in addressed(SQLModel.metadata)}
    values: list[HeldValue] = []
    reached: dict[str, Sequence[Mapping[str, Any]]] = {}
    for table in SQLModel.metadata.sorted_tables:
        ways = _ways(table, reached)
        if table.name in by_spelling:
            ways.append(table.c.canonical == canonical)
        if not ways or not (table.name in declared or table.name in parents):
            continue
        rows = (await session.execute(table.select().where(or_(*ways)).order_by(*table.primary_key))).mappings().all()
        reached[table.name] = [dict(row) for row in rows]
        values += [
            HeldValue(table.name, name, row[name], said)
            for row in rows
            for name, said in declared[table.name].items()
            if row[name] not in (None, "")
        ]
    return values


def _ways(table: Table, reached: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[ColumnElement[bool]]:
    """Give the conditions under which a row of the table hangs on one that was reached; an index leads each."""
    ways: list[ColumnElement[bool]] = []
    for key in _cascades(table):
        element = key.elements[0]
        if parents := [row[element.column.name] for row in reached.get(key.referred_table.name, ())]:
            ways.append(element.parent.in_(parents))
    return ways


def _cascades(*tables: Table) -> Iterator[ForeignKeyConstraint]:
    for table in tables or SQLModel.metadata.tables.values():
        for key in table.foreign_key_constraints:
            if key.ondelete == "CASCADE" and len(key.elements) == 1:
                yield key


def _declared() -> defaultdict[str, dict[str, Personal]]:
    declared: defaultdict[str, dict[str, Personal]] = defaultdict(dict)
    for column, said in declarations(SQLModel.metadata):
        declared[column.table.name][column.name] = said
    return declared
