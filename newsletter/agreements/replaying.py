"""Replaying tombstones: a database that came back from the past learns what happened since (RULES C2).

The file of the tombstones is never ahead of its database, for a line is written after the commit. So a line that the
database doesn't know means that the database is an older one, however it came back: by `newsletter restore`, by
pg_restore, or as a copy of a file. Then every line it doesn't know is carried out, in the order of their times, in one
transaction. Only what was agreed before the line is touched: whoever came back later stays. Doing it again does
nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import ColumnElement, delete
from sqlmodel import col, select

from newsletter.agreements import ending
from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, Ending, Parting
from newsletter.agreements.tables import Agreement, AgreementEvent, EventKind
from newsletter.agreements.traces import tags
from newsletter.agreements.traces.tables import TOMBSTONES, TagEpoch, Tombstone
from newsletter.agreements.traces.tombstone_file import Entry
from newsletter.agreements.traces.tombstones import MARGIN, Kind, subject
from newsletter.database import Session, insert, rows_of
from newsletter.installation import Installation
from newsletter.subscribers.tables import MeasurementChoice, Subscriber, Subscription, SubscriptionState
from newsletter.tokens import keyed

_AT_ONCE = 5000
_AGREED = (EventKind.GIVEN, EventKind.IMPORTED, EventKind.RENEWED)
_ORIGIN = Origin("system", "restore")
_AT_THE_TIME = object()
_CHOICES: dict[str, tuple[str, object]] = {
    Kind.RESTRICTION: ("restricted_at", _AT_THE_TIME),
    Kind.UNRESTRICTION: ("restricted_at", None),
    Kind.MEASUREMENT_REFUSED: ("measurement", MeasurementChoice.REFUSED),
    Kind.MEASUREMENT_ALLOWED: ("measurement", MeasurementChoice.ALLOWED),
}


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was done again, in numbers."""

    entries: int
    persons: int = 0
    subscriptions: int = 0
    requests: int = 0
    choices: int = 0


@dataclass(slots=True)
class _Done:
    persons: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)


async def replay_if_behind(session: Session, installation: Installation, entries: Sequence[Entry]) -> Replayed | None:
    """Carry out every one of the file's lines that the database doesn't know; None where it knows them all."""
    unknown = await lacking(session, entries)
    if not unknown:
        return None
    await _keep(session, unknown)
    done = _Done()
    people = await _people(session, installation, unknown)
    asked = await _asked(session, installation, unknown)
    for entry in unknown:
        for subscriber_id in people[entry.id]:
            await _carry_out(session, installation, entry, subscriber_id, done)
        done.counts["requests"] += await _forget_asked(session, entry, asked[entry.id])
    counts = done.counts
    return Replayed(len(unknown), len(done.persons), counts["subscriptions"], counts["requests"], counts["choices"])


async def lacking(session: Session, entries: Sequence[Entry]) -> list[Entry]:
    """Give those of the file's lines that the database doesn't know."""
    known: set[str] = set()
    for start in range(0, len(entries), _AT_ONCE):
        some = [entry.id for entry in entries[start : start + _AT_ONCE]]
        known |= set((await session.exec(select(Tombstone.id).where(tags.among(session, Tombstone.id, some)))).all())
    return [entry for entry in entries if entry.id not in known]


async def _keep(session: Session, entries: Sequence[Entry]) -> None:
    """Let the database know the lines, with the salts of their epochs."""
    epochs = {entry.epoch: {"salt": entry.salt, "ends_at": entry.epoch_ends} for entry in entries}
    for epoch_id, values in epochs.items():
        row = {"id": epoch_id, "purpose": TOMBSTONES} | values
        await session.execute(insert(session, TagEpoch).values(row).on_conflict_do_nothing())
    rows = [
        {
            "id": entry.id,
            "epoch_id": entry.epoch,
            "tag": entry.tag,
            "subject_tag": entry.subject_tag,
            "newsletter_id": entry.newsletter,
            "kind": entry.kind,
            "cause": entry.cause,
            "at": entry.at,
            "expires_at": entry.expires + MARGIN,
            "filed": True,
        }
        for entry in entries
    ]
    await session.execute(insert(session, Tombstone).on_conflict_do_nothing(), rows)


def _keys(installation: Installation, entries: Sequence[Entry]) -> list[bytes]:
    salts = {entry.epoch: entry.salt for entry in entries}
    return [key for salt in salts.values() for key in tags.keys_of(installation.keys, TOMBSTONES, salt)]


async def _people(
    session: Session, installation: Installation, entries: Sequence[Entry]
) -> Mapping[str, Sequence[str]]:
    """Give the subscribers each line is about: by their ids, which no other person ever has, else by their address."""
    by_tag: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        by_tag[entry.subject_tag or entry.tag].append(entry.id)
    keys, found = _keys(installation, entries), defaultdict[str, list[str]](list)
    last = ""
    query = select(Subscriber.id, Subscriber.canonical).order_by(col(Subscriber.id)).limit(_AT_ONCE)
    while rows := (await session.exec(query.where(col(Subscriber.id) > last))).all():
        last = rows[-1][0]
        for subscriber_id, canonical in rows:
            for data in (subject(subscriber_id), canonical.encode()):
                for key in keys:
                    for entry_id in by_tag.get(keyed(key, data).hex(), ()):
                        found[entry_id].append(subscriber_id)
    return found


async def _asked(session: Session, installation: Installation, entries: Sequence[Entry]) -> Mapping[str, set[str]]:
    """Give the addresses that something was asked for with, by the line that is about them."""
    by_tag: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        by_tag[entry.tag].append(entry.id)
    keys, found = _keys(installation, entries), defaultdict[str, set[str]](set)
    for table in ending.asked_tables():
        for canonical in (
            await session.execute(table.select().with_only_columns(table.c.canonical).distinct())
        ).scalars():
            for key in keys if canonical else ():
                for entry_id in by_tag.get(keyed(key, canonical.encode()).hex(), ()):
                    found[entry_id].add(canonical)
    return found


async def _carry_out(
    session: Session, installation: Installation, entry: Entry, subscriber_id: str, done: _Done
) -> None:
    person = await ending.lock_person(session, subscriber_id)
    if person is None or person.created_at > entry.at:
        return
    if entry.kind in _CHOICES:
        name, value = _CHOICES[entry.kind]
        setattr(person, name, entry.at if value is _AT_THE_TIME else value)
        done.counts["choices"] += 1
        await session.flush()
        return
    cause = Cause(entry.cause) if entry.cause else Cause.WITHDRAWN
    parting = Parting(cause, _ORIGIN, entry.at, replayed=True)
    current = await _current(session, person)
    older = [one for one in current if not await _agreed_later(session, one, entry.at)]
    if entry.kind == Kind.PERSON and len(older) == len(current):
        await ending.delete_person(session, installation, person, parting)
        done.persons.add(subscriber_id)
        return
    if entry.kind == Kind.PERSON:  # They are back under another agreement: the person stays.
        parting = replace(parting, cause=Cause.WITHDRAWN)
    for subscription in older:
        if entry.newsletter in (None, subscription.newsletter_id):
            came_of_it = await ending.part(session, installation, subscription.id, parting)
            done.counts["subscriptions"] += came_of_it is Ending.SUBSCRIPTION
            if came_of_it is Ending.PERSON:
                done.persons.add(subscriber_id)


async def _current(session: Session, person: Subscriber) -> Sequence[Subscription]:
    theirs = select(Subscription).where(Subscription.subscriber_id == person.id)
    return (await session.exec(theirs.where(col(Subscription.state) != SubscriptionState.ENDED))).all()


async def _agreed_later(session: Session, subscription: Subscription, at: datetime) -> bool:
    if subscription.created_at > at:
        return True
    query = (
        select(AgreementEvent.id)
        .join(Agreement, col(Agreement.id) == col(AgreementEvent.agreement_id))
        .where(Agreement.subscription_id == subscription.id, col(AgreementEvent.kind).in_(_AGREED))
        .where(col(AgreementEvent.at) > at)
    )
    return (await session.exec(query.limit(1))).first() is not None


async def _forget_asked(session: Session, entry: Entry, addresses: set[str]) -> int:
    """Forget what was asked for, and not yet confirmed, by whoever then left; give how many signup requests."""
    if entry.kind in _CHOICES or not addresses:
        return 0
    forgotten = 0
    for table in ending.asked_tables():
        theirs: ColumnElement[bool] = table.c.canonical.in_(sorted(addresses))
        if entry.newsletter is not None:
            if "newsletter_id" not in table.c:
                continue
            theirs &= table.c.newsletter_id == entry.newsletter
        forgotten += rows_of(await session.execute(delete(table).where(theirs)))
    return forgotten
