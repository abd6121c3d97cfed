"""Tombstones: what must happen again where an older database comes back (RULES C2).

Every ending, restriction and choice about measurement is noted in the transaction that makes it true: a keyed tag of
the address, another one of the subscriber's id (which stays when the address changes), the kind and the time. A worker
then appends it to a file outside the database (`tombstone_file`), from which it is replayed (`replaying`).
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import update
from sqlmodel import col, select

from newsletter.agreements.traces import tags
from newsletter.agreements.traces.tables import TOMBSTONES, TagEpoch, Tombstone
from newsletter.agreements.traces.tombstone_file import Entry, TombstoneFile
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.loops import AT_ONCE, Due
from newsletter.subscribers.tables import Subscriber
from newsletter.tokens import new_id

# A row outlives its line in the file, whatever the clocks of two machines say: a line without a row means that the
# database is an old one.
MARGIN = timedelta(days=1)
_MOST_FILED = 1000


class Kind(StrEnum):
    """What a tombstone stands for."""

    PERSON = "person"
    SUBSCRIPTION = "subscription"
    OBJECTION = "objection"
    RESTRICTION = "restriction"
    UNRESTRICTION = "unrestriction"
    MEASUREMENT_REFUSED = "measurement_refused"
    MEASUREMENT_ALLOWED = "measurement_allowed"


async def note(
    session: Session,
    installation: Installation,
    canonical: str,
    kind: str,
    newsletter_id: str | None = None,
    *,
    cause: str | None = None,
) -> None:
    """Note what happens to the person of that address, who is still there; `kind` is a `Kind`."""
    tagger = await tags.current(session, installation, TOMBSTONES)
    person = (await session.exec(select(Subscriber.id).where(Subscriber.canonical == canonical))).first()
    now = installation.clock.now()
    session.add(
        Tombstone(
            id=new_id(),
            epoch_id=tagger.epoch_id,
            tag=tagger.tag(canonical.encode()),
            subject_tag=tagger.tag(subject(person)) if person else None,
            newsletter_id=newsletter_id,
            kind=Kind(kind),
            cause=cause,
            at=now,
            expires_at=now + timedelta(days=installation.settings.retention_tombstones) + MARGIN,
        )
    )


class Lookout:
    """Sees whether the database lacks the line that was written last: as long as the file rests, by one row."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._file = file_of(installation)
        self._seen: tuple[int, int, int] | None = None
        self._newest: Entry | None = None

    async def is_behind(self, session: Session) -> bool:
        """Say whether it does. Where the session has looked at the database before, it may say so too soon."""
        now = self._installation.clock.now()
        if (signature := self._file.signature()) != self._seen:
            self._newest, self._seen = self._file.newest(now), signature
        newest = self._newest
        if newest is None or newest.expires <= now:
            return False
        return (await session.exec(select(Tombstone.id).where(Tombstone.id == newest.id))).first() is None


def subject(subscriber_id: str) -> bytes:
    """Give what is tagged of a subscriber's id, which can be no address."""
    return f"id/{subscriber_id}".encode()


def when_due() -> tuple[Due, ...]:
    """Say whether a tombstone is not in the file yet."""
    return (select(AT_ONCE).select_from(Tombstone).where(col(Tombstone.filed).is_(False)).limit(1),)


async def file_new(installation: Installation) -> int:
    """Append what is not yet in the file to it; give how many. They are on the disk before they count as filed."""
    async with installation.database.read() as session:
        entries = await _unfiled(session)
    if entries:
        await file_of(installation).append(entries)
        async with installation.database.write() as session:
            theirs = tags.among(session, Tombstone.id, [entry.id for entry in entries])
            await session.execute(update(Tombstone).where(theirs).values(filed=True))
    return len(entries)


def file_of(installation: Installation) -> TombstoneFile:
    """Give the file of the tombstones."""
    return TombstoneFile(installation.settings.tombstones, installation.keys)


async def _unfiled(session: Session) -> Sequence[Entry]:
    query = (
        select(Tombstone, TagEpoch)
        .join(TagEpoch, col(TagEpoch.id) == col(Tombstone.epoch_id))
        .where(col(Tombstone.filed).is_(False))
        .order_by(col(Tombstone.at), col(Tombstone.id))
        .limit(_MOST_FILED)
    )
    return [
        Entry(
            id=row.id,
            epoch=epoch.id,
            salt=epoch.salt,
            epoch_ends=epoch.ends_at,
            tag=row.tag,
            subject_tag=row.subject_tag,
            newsletter=row.newsletter_id,
            kind=row.kind,
            cause=row.cause,
            at=row.at,
            expires=row.expires_at - MARGIN,
        )
        for row, epoch in (await session.exec(query)).all()
    ]


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many tombstones have outlived their time."""
    return await tags.count_expired(session, installation, TOMBSTONES)


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete the tombstones that have outlived their time, from the database and from the file; give how many."""
    await file_of(installation).drop_expired(installation.clock.now())
    return await tags.purge_expired(session, installation, TOMBSTONES)
