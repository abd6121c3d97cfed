"""The rights desk: registering a request that came by letter, phone or mail, working on it, and closing it (RULES B1).

Whatever names the person stands in one row beside the request, and closing deletes that row in the same transaction:
what stays is the kind, the dates, the steps and the outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import col, select

from newsletter.addresses import read_address
from newsletter.database import Session, rows_of
from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.installation import Installation
from newsletter.rights.desk import rules
from newsletter.rights.desk.tables import (
    Arrival,
    Outcome,
    RequestKind,
    RightsRequest,
    RightsStep,
    RightsSubject,
    StepKind,
)
from newsletter.subscribers.actions import by_address, locked
from newsletter.subscribers.tables import Subscriber
from newsletter.tokens import new_id

KEPT = timedelta(days=3 * 365)
OLDEST = timedelta(days=366)
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Received:
    """What an editor writes down when a request comes in.

    `address` is searched for, and not kept; `subscriber_id` is given where the editor stood before the person already.
    """

    kind: RequestKind
    arrival: Arrival
    received_on: date
    who: str = ""
    address: str = ""
    note: str = ""
    subscriber_id: str | None = None


async def register(session: Session, installation: Installation, received: Received, editor_id: str) -> RightsRequest:
    """Write down a request, with its due date. Raises InvalidInput for a date or an address that can't be one.

    Where the address is a subscriber's, the request points to them; else it is about somebody we don't know.
    """
    today = installation.clock.now().date()
    if not today - OLDEST <= received.received_on <= today:
        sentence = "The day on which it was received must be within the last year, and not after today."
        raise InvalidInput(sentence, {"received_on": sentence})
    person = await find_person(session, received.address) if received.address.strip() else None
    if received.subscriber_id:
        person = await locked(session, received.subscriber_id)
    request = RightsRequest(
        id=new_id(),
        kind=received.kind,
        arrival=received.arrival,
        received_on=received.received_on,
        due_on=rules.due(received.received_on),
        editor_id=editor_id,
    )
    session.add(request)
    await session.flush()
    session.add(
        RightsSubject(
            request_id=request.id,
            subscriber_id=person.id if person else None,
            who=received.who.strip(),
            note=received.note.strip(),
        )
    )
    step(session, installation, request, StepKind.REGISTERED, editor_id)
    return request


async def find_person(session: Session, address: str) -> Subscriber | None:
    """Give the subscriber of an address, locked, so that they don't leave meanwhile. Raises InvalidInput."""
    try:
        canonical = read_address(address).canonical
    except InvalidInput as error:
        raise InvalidInput(error.sentence, {"address": error.sentence}) from error
    known = await by_address(session, canonical)
    return await locked(session, known.id) if known else None


async def find(session: Session, request_id: str, *, to_change: bool = False) -> RightsRequest:
    """Give a request. Raises NotFound; Conflict where it is `to_change` and closed."""
    request = await session.get(RightsRequest, request_id, with_for_update=to_change or None)
    if request is None:
        raise NotFound("There is no such request.")
    if to_change and request.closed_on is not None:
        raise Conflict(rules.CLOSED)
    return request


async def subject_of(session: Session, request_id: str) -> RightsSubject | None:
    """Give what names the person; None once the request is closed, or the person erased."""
    return await session.get(RightsSubject, request_id)


async def point_to(session: Session, request: RightsRequest, address: str) -> bool:
    """Let the request be about the subscriber of that address; say whether there is one.

    Where it was about another one before, the check of identity was about them, and has to be made again.
    """
    person = await find_person(session, address)
    subject = await subject_of(session, request.id)
    if person is None or subject is None:
        return False
    if subject.subscriber_id not in (None, person.id):
        request.identified_at, subject.identity = None, ""
    subject.subscriber_id = person.id
    return True


async def write_down(session: Session, request: RightsRequest, who: str, note: str, editor_id: str | None) -> None:
    """Keep who asks, the note and who works on it. Once the person is erased nothing that names them is taken again."""
    subject = await subject_of(session, request.id)
    if subject is not None:
        subject.who, subject.note = who.strip(), note.strip()
    request.editor_id = editor_id


async def identify(
    session: Session, installation: Installation, request: RightsRequest, how: str, editor_id: str
) -> None:
    """Record how it was made sure that the right person asks. Raises InvalidInput where nothing is said."""
    if not how.strip():
        sentence = "Please write how you made sure who is asking, such as: called back on the number we know."
        raise InvalidInput(sentence, {"identity": sentence})
    subject = await subject_of(session, request.id)
    if subject is not None:
        subject.identity = how.strip()
    request.identified_at = installation.clock.now()
    step(session, installation, request, StepKind.IDENTIFIED, editor_id)


def step(
    session: Session, installation: Installation, request: RightsRequest, kind: StepKind, editor_id: str | None
) -> None:
    """Record that a step was taken. Raises Conflict where it may not be."""
    rules.may_take(request, kind)
    session.add(
        RightsStep(id=new_id(), request_id=request.id, kind=kind, at=installation.clock.now(), editor_id=editor_id)
    )


async def steps_of(session: Session, request_id: str) -> Sequence[RightsStep]:
    """Give the steps taken for a request, oldest first."""
    query = select(RightsStep).where(RightsStep.request_id == request_id)
    return (await session.exec(query.order_by(col(RightsStep.at), col(RightsStep.id)))).all()


async def close(
    session: Session, installation: Installation, request: RightsRequest, outcome: Outcome, editor_id: str
) -> None:
    """Record the answer and forget who it was: kind, dates and outcome stay (RULES C1). Raises Conflict.

    Nothing is fulfilled for somebody who was not identified.
    """
    if outcome is Outcome.FULFILLED and request.identified_at is None:
        raise Conflict(rules.NOT_IDENTIFIED)
    step(session, installation, request, StepKind.ANSWERED, editor_id)
    request.outcome, request.closed_on = outcome, installation.clock.now().date()
    await session.execute(delete(RightsSubject).where(col(RightsSubject.request_id) == request.id))


async def open_requests(session: Session) -> Sequence[tuple[RightsRequest, RightsSubject | None]]:
    """Give every open request with what names its person, the most urgent first."""
    query = (
        select(RightsRequest, RightsSubject)
        .join(RightsSubject, col(RightsSubject.request_id) == col(RightsRequest.id), isouter=True)
        .where(col(RightsRequest.closed_on).is_(None))
        .order_by(col(RightsRequest.due_on), col(RightsRequest.id))
    )
    return (await session.exec(query)).all()


async def open_about(session: Session, subscriber_id: str) -> Sequence[RightsRequest]:
    """Give the open requests about a subscriber."""
    query = (
        select(RightsRequest)
        .join(RightsSubject, col(RightsSubject.request_id) == col(RightsRequest.id))
        .where(RightsSubject.subscriber_id == subscriber_id, col(RightsRequest.closed_on).is_(None))
        .order_by(col(RightsRequest.due_on))
    )
    return (await session.exec(query)).all()


async def closed_requests(session: Session) -> Sequence[RightsRequest]:
    """Give the requests that were closed last, at most a hundred."""
    query = select(RightsRequest).where(col(RightsRequest.closed_on).is_not(None))
    return (await session.exec(query.order_by(col(RightsRequest.closed_on).desc()).limit(SHOWN))).all()


async def count_overdue(session: Session, installation: Installation) -> int:
    """Give how many open requests should have been answered before today."""
    query = select(func.count()).select_from(RightsRequest)
    today = installation.clock.now().date()
    return (await session.exec(query.where(col(RightsRequest.closed_on).is_(None), RightsRequest.due_on < today))).one()


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many closed requests have been kept long enough."""
    query = select(func.count()).select_from(RightsRequest).where(_expired(installation))
    return (await session.exec(query)).one()


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete the closed requests that have been kept for three years; give how many."""
    done = await session.execute(delete(RightsRequest).where(_expired(installation)))
    return rows_of(done)


def _expired(installation: Installation) -> ColumnElement[bool]:
    return col(RightsRequest.closed_on) < (installation.clock.now() - KEPT).date()
