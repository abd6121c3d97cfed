"""Suppression: addresses that must not be mailed though an import or a trusted program may bring them (RULES C4).

A suppression is a keyed tag, not an address. Only a person can lift it, by confirming from the mailbox: a suppressed
address that asks through the form is treated as every other, so that nobody learns of it (RULES H3). Whoever left
within the life of a tombstone is not brought back by an import either.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice

from sqlalchemy import ColumnElement, delete, insert
from sqlmodel import col, select

from newsletter.agreements.traces import tags
from newsletter.agreements.traces.tables import SUPPRESSIONS, TOMBSTONES, Suppression, Tombstone
from newsletter.clock import day_of
from newsletter.database import Session, table_of
from newsletter.installation import Installation
from newsletter.tokens import new_id

ENDINGS = ("person", "subscription", "objection")
_SUPPRESSIONS = table_of(Suppression)
_MOST = 20_000


async def suppress(
    session: Session,
    installation: Installation,
    canonicals: Iterable[str],
    cause: str,
    newsletter_id: str | None = None,
) -> int:
    """See to it that no import brings these addresses back, to that newsletter or to any; give how many are new."""
    added, now = 0, installation.clock.now()
    tagger = await tags.current(session, installation, SUPPRESSIONS)
    until = day_of(now) + timedelta(days=installation.settings.retention_suppressions)
    for some in _slices(canonicals):
        known = await _matching(session, installation, SUPPRESSIONS, some, _exactly(newsletter_id))
        rows = [
            {
                "id": new_id(),
                "epoch_id": tagger.epoch_id,
                "tag": tagger.tag(canonical.encode()),
                "newsletter_id": newsletter_id,
                "cause": str(cause),
                "since": day_of(now),
                "expires_at": until,
            }
            for canonical in sorted(set(some) - known)
        ]
        if rows:
            await session.execute(insert(_SUPPRESSIONS), rows)
        added += len(rows)
    return added


async def suppressed(
    session: Session, installation: Installation, canonicals: Collection[str], newsletter_id: str | None = None
) -> set[str]:
    """Give those of the addresses that no import may bring to that newsletter, or, without one, to all of them.

    They are suppressed, or have left within the life of a tombstone. Any number may be asked for at once.
    """
    found: set[str] = set()
    for some in _slices(canonicals):
        found |= await _matching(session, installation, SUPPRESSIONS, some, _covering(Suppression, newsletter_id))
        ended = col(Tombstone.kind).in_(ENDINGS) & _covering(Tombstone, newsletter_id)
        found |= await _matching(session, installation, TOMBSTONES, some, ended)
    return found


async def lift(session: Session, installation: Installation, canonical: str, newsletter_id: str) -> None:
    """Let an address be mailed by a newsletter again: its owner has confirmed from the mailbox (RULES C4).

    What suppresses it for every newsletter goes, too: who asks for one is no longer who never wants to be asked.
    """
    lookup = await tags.living(session, installation, SUPPRESSIONS)
    if candidates := lookup.tags(canonical):
        theirs = tags.among(session, Suppression.tag, candidates)
        await session.execute(delete(Suppression).where(theirs, _covering(Suppression, newsletter_id)))


def _exactly(newsletter_id: str | None) -> ColumnElement[bool]:
    column = col(Suppression.newsletter_id)
    return column.is_(None) if newsletter_id is None else column == newsletter_id


def _covering(table: type[Suppression] | type[Tombstone], newsletter_id: str | None) -> ColumnElement[bool]:
    everywhere = col(table.newsletter_id).is_(None)
    return everywhere if newsletter_id is None else everywhere | (col(table.newsletter_id) == newsletter_id)


async def _matching(
    session: Session, installation: Installation, purpose: str, some: Sequence[str], condition: ColumnElement[bool]
) -> set[str]:
    """Give those of the addresses with a tag of that purpose whose row fulfils the condition."""
    lookup, table = await tags.living(session, installation, purpose), tags.TABLES[purpose]
    owners = {tag: canonical for canonical in some for tag in lookup.tags(canonical)}
    if not owners:
        return set()
    alive = col(table.expires_at) > installation.clock.now()
    found = await session.exec(select(table.tag).where(tags.among(session, table.tag, owners), alive, condition))
    return {owners[tag] for tag in found.all()}


def _slices(canonicals: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(canonicals)
    while some := list(islice(rest, _MOST)):
        yield some


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many suppressions have outlived their time."""
    return await tags.count_expired(session, installation, SUPPRESSIONS)


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete the suppressions that have outlived their time; give how many."""
    return await tags.purge_expired(session, installation, SUPPRESSIONS)
