"""What people decide about their own data: correct, choose, restrict, object, leave, erase (GDPR art. 16-18, 21).

Each act changes the subscriber, appends its event to the agreements of every subscription that has not ended, and notes
it in the journal of tombstones where a restored backup must not undo it (RULES C2). The page, the desk and the command
line all come here; `origin` says who acted.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlalchemy import delete
from sqlmodel import col, select

from newsletter.addresses import read_name
from newsletter.agreements import actions as agreements
from newsletter.agreements import ending
from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause
from newsletter.agreements.tables import EventKind
from newsletter.agreements.traces import tombstones
from newsletter.agreements.traces.tombstones import Kind
from newsletter.database import Session
from newsletter.errors import InvalidInput
from newsletter.installation import Installation
from newsletter.language import known
from newsletter.rights.my.tables import MyVisit
from newsletter.signup.rules import FIELDS
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers import actions as subscribers
from newsletter.subscribers.actions import by_address
from newsletter.subscribers.tables import MeasurementChoice, Subscriber, Subscription, SubscriptionState

# What a subscriber, by their id, may choose without saying more.
Choice = Callable[[Session, Installation, str, Origin], Awaitable[None]]
_MEASUREMENT = {
    MeasurementChoice.REFUSED: Kind.MEASUREMENT_REFUSED,
    MeasurementChoice.ALLOWED: Kind.MEASUREMENT_ALLOWED,
    # Who takes a refusal back stands where others begin: counted, and never personally.
    MeasurementChoice.UNKNOWN: Kind.MEASUREMENT_ALLOWED,
}


def read_details(values: Mapping[str, str]) -> dict[str, str | None]:
    """Read corrected details and the language, as far as given, by the rules of a signup (RULES H4).

    Raises InvalidInput, with a sentence for each field that won't do.
    """
    read: dict[str, str | None] = {}
    wrong: dict[str, str] = {}
    for field in FIELDS:
        try:
            if field in values:
                read[field] = read_name(field, values[field])
        except InvalidInput as error:
            wrong |= error.fields
    if language := known(values.get("language")):
        read["language"] = language
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), wrong)
    return read


async def correct(
    session: Session, installation: Installation, subscriber_id: str, details: Mapping[str, str | None], origin: Origin
) -> Sequence[str]:
    """Correct a subscriber's details (GDPR art. 16); give the names of the fields that changed."""
    changed = await subscribers.rectify(session, subscriber_id, details)
    if changed:
        await note_correction(session, installation, subscriber_id, changed, origin)
    return changed


async def note_correction(
    session: Session, installation: Installation, subscriber_id: str, fields: Sequence[str], origin: Origin
) -> None:
    """Append to a subscriber's agreements that these fields were corrected; their values stand nowhere else."""
    await _append(session, installation, subscriber_id, EventKind.RECTIFIED, origin, detail=", ".join(fields))


async def choose_measurement(
    session: Session, installation: Installation, subscriber_id: str, choice: MeasurementChoice
) -> None:
    """Write down what a subscriber says about being measured; it works from the next mail on (RULES D2)."""
    if await subscribers.choose_measurement(session, subscriber_id, choice):
        await _note(session, installation, subscriber_id, _MEASUREMENT[choice])


async def restrict(session: Session, installation: Installation, subscriber_id: str, origin: Origin) -> None:
    """Keep a subscriber's data and use it for nothing (GDPR art. 18)."""
    if await subscribers.restrict(session, installation.clock, subscriber_id):
        await _append(session, installation, subscriber_id, EventKind.RESTRICTED, origin)
        await _note(session, installation, subscriber_id, Kind.RESTRICTION)


async def unrestrict(session: Session, installation: Installation, subscriber_id: str, origin: Origin) -> None:
    """Lift the restriction."""
    if await subscribers.unrestrict(session, subscriber_id):
        await _append(session, installation, subscriber_id, EventKind.UNRESTRICTED, origin)
        await _note(session, installation, subscriber_id, Kind.UNRESTRICTION)


async def object_to_marketing(session: Session, installation: Installation, subscriber_id: str, origin: Origin) -> None:
    """End every subscription, for their subscriber objects to marketing (GDPR art. 21; RULES B4). That is absolute."""
    await _end_all(session, installation, subscriber_id, Cause.OBJECTED, origin)


async def leave_all(session: Session, installation: Installation, subscriber_id: str, origin: Origin) -> None:
    """End every subscription, and with the last one the person goes (RULES C1)."""
    await _end_all(session, installation, subscriber_id, Cause.WITHDRAWN, origin)


async def erase(session: Session, installation: Installation, canonical: str, origin: Origin) -> bool:
    """Delete whatever is held about an address, but the keyed tags that expire (GDPR art. 17). Say whether there was
    anything.
    """
    subscriber = await by_address(session, canonical)
    if subscriber is not None:
        return await ending.erase_person(session, installation, subscriber.id, Cause.ERASED, origin)
    await session.execute(delete(MyVisit).where(col(MyVisit.canonical) == canonical))
    asked = select(SignupRequest.id).where(SignupRequest.canonical == canonical)
    found = (await session.exec(asked.order_by(col(SignupRequest.id)).with_for_update())).all()
    await session.execute(delete(SignupRequest).where(col(SignupRequest.id).in_(found)))
    if found:
        await tombstones.note(session, installation, canonical, Kind.PERSON)
    return bool(found)


async def _end_all(
    session: Session, installation: Installation, subscriber_id: str, cause: Cause, origin: Origin
) -> None:
    for subscription in await _current(session, subscriber_id):
        await ending.end_subscription(session, installation, subscription.id, cause, origin)


async def _current(session: Session, subscriber_id: str) -> Sequence[Subscription]:
    found = await session.exec(
        select(Subscription)
        .where(Subscription.subscriber_id == subscriber_id, col(Subscription.state) != SubscriptionState.ENDED)
        .order_by(col(Subscription.id))
    )
    return found.all()


async def _append(
    session: Session,
    installation: Installation,
    subscriber_id: str,
    kind: EventKind,
    origin: Origin,
    detail: str | None = None,
) -> None:
    for subscription in await _current(session, subscriber_id):
        for agreement in await agreements.of_subscription(session, subscription.id):
            await agreements.append(session, installation, agreement.id, kind, origin, detail=detail)


async def _note(session: Session, installation: Installation, subscriber_id: str, kind: Kind) -> None:
    subscriber = await session.get(Subscriber, subscriber_id)
    if subscriber is not None:
        await tombstones.note(session, installation, subscriber.canonical, kind)
