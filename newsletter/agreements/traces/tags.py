"""Keyed tags: how an address is recognised again without being kept (RULES C5).

The key of a tag is derived from the root secret, which is never in the database, and the salt of an epoch of about a
month, which is destroyed with the epoch's last tag. To look an address up means one tag for each epoch that still has
a salt, and another one while the root secret before this one is known.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, String, any_, bindparam, cast, delete, func, literal
from sqlmodel import col, select

from newsletter.agreements.traces.tables import (
    RECEIPTS,
    SUPPRESSIONS,
    TOMBSTONES,
    Receipt,
    Suppression,
    TagEpoch,
    Tombstone,
)
from newsletter.database import Session, rows_of
from newsletter.installation import Installation
from newsletter.tokens import Keyring, keyed, new_id, new_salt

Held = type[Receipt] | type[Suppression] | type[Tombstone]
TABLES: dict[str, Held] = {RECEIPTS: Receipt, SUPPRESSIONS: Suppression, TOMBSTONES: Tombstone}
# Suppressions live for years: with longer epochs an address has few tags to be looked up by.
_LENGTHS = {
    RECEIPTS: timedelta(days=30),
    SUPPRESSIONS: timedelta(days=90),
    TOMBSTONES: timedelta(days=30),
}
# Whoever tagged in the last moment of an epoch has committed by then.
_GRACE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HeldTag:
    """A tag that matches an address: what it is for, since which day, until when, and for which newsletter, if one."""

    purpose: str
    kind: str
    since: datetime
    until: datetime
    newsletter_id: str | None


class Tagger:
    """Makes tags of the current epoch. Get one with `current`."""

    def __init__(self, epoch_id: str, key: bytes) -> None:
        self.epoch_id = epoch_id
        self._key = key

    def tag(self, data: bytes) -> str:
        """Give the tag of an address, in its canonical form, or of something else that names a person."""
        return keyed(self._key, data).hex()


class Lookup:
    """Gives the tags an address may have. Get one with `living`."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def tags(self, canonical: str) -> list[str]:
        """Give every tag under which the address may be held."""
        data = canonical.encode()
        return [keyed(key, data).hex() for key in self._keys]


async def current(session: Session, installation: Installation, purpose: str) -> Tagger:
    """Give what tags with now for a purpose, with a new epoch where the last one has ended."""
    now = installation.clock.now()
    query = select(TagEpoch).where(TagEpoch.purpose == purpose, TagEpoch.ends_at > now)
    # Two workers may begin an epoch at once: then it has two salts, and an address one more tag to be looked up by.
    epoch = (await session.exec(query.order_by(col(TagEpoch.ends_at), col(TagEpoch.id)).limit(1))).first()
    if epoch is None:
        ends = now + _LENGTHS[purpose]
        epoch = TagEpoch(id=new_id(), purpose=purpose, salt=new_salt().hex(), ends_at=ends)
        session.add(epoch)
        await session.flush()
    return Tagger(epoch.id, keys_of(installation.keys, purpose, epoch.salt)[0])


async def living(session: Session, installation: Installation, purpose: str) -> Lookup:
    """Give what finds the tags of a purpose, of every epoch that still has its salt."""
    epochs = (await session.exec(select(TagEpoch).where(TagEpoch.purpose == purpose))).all()
    return Lookup([key for epoch in epochs for key in keys_of(installation.keys, purpose, epoch.salt)])


def keys_of(keys: Keyring, purpose: str, salt: str) -> list[bytes]:
    """Give the keys of an epoch with that salt: that of the root secret, then that of the one before it."""
    return keys.epoch_keys(f"tag/{purpose}", bytes.fromhex(salt))


def among(session: Session, column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """Give the condition that a column holds one of many values, which go as one parameter."""
    wanted = list(values)
    if session.get_bind().dialect.name == "sqlite":
        listed = func.json_each(literal(json.dumps(wanted))).table_valued("value")
        return col(column).in_(select(listed.c.value))
    return col(column) == any_(cast(bindparam(None, wanted, type_=ARRAY(String)), ARRAY(String)))


async def held_about(session: Session, installation: Installation, canonical: str) -> Sequence[HeldTag]:
    """Give the receipts, suppressions and tombstones that match an address (RULES B2)."""
    found: list[HeldTag] = []
    for purpose, table in TABLES.items():
        tags = (await living(session, installation, purpose)).tags(canonical)
        rows = (await session.exec(select(table).where(among(session, table.tag, tags)))).all() if tags else []
        found += [_held(purpose, row) for row in rows]
    return sorted(found, key=lambda tag: (tag.purpose, tag.since))


def _held(purpose: str, row: Any) -> HeldTag:
    if isinstance(row, Receipt):
        kind, since = row.outcome, row.ended_on
    elif isinstance(row, Suppression):
        kind, since = row.cause, row.since
    else:
        kind, since = row.kind, row.at
    return HeldTag(purpose, kind, since, row.expires_at, row.newsletter_id)


async def count_expired(session: Session, installation: Installation, purpose: str) -> int:
    """Give how many tags of a purpose have outlived their time."""
    table = TABLES[purpose]
    query = select(func.count()).select_from(table).where(col(table.expires_at) <= installation.clock.now())
    return (await session.exec(query)).one()


async def purge_expired(session: Session, installation: Installation, purpose: str) -> int:
    """Delete the tags of a purpose that have outlived their time, and the salts that no tag needs.

    Give how many tags that were.
    """
    now, table = installation.clock.now(), TABLES[purpose]
    purged = await session.execute(delete(table).where(col(table.expires_at) <= now))
    used = select(table.epoch_id).where(col(table.epoch_id) == col(TagEpoch.id)).exists()
    over = (col(TagEpoch.purpose) == purpose) & (col(TagEpoch.ends_at) <= now - _GRACE)
    await session.execute(delete(TagEpoch).where(over, ~used))
    return rows_of(purged)
