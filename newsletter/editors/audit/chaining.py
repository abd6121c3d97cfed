"""The audit trail on its way into its chain, as the agreements are in theirs (decision 12).

A worker takes what is due in batches, so that nobody who reads or changes something waits for the chain. An entry whose
seal is not ours is left out, for `audit verify` to report. What expires is folded: an entry of the chain says up to
which number the contents are gone, and the hashes stay.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, func, select, text, update

from newsletter.chain import actions as chain
from newsletter.chain.rules import EVENT, canonical
from newsletter.database import Session, table_of
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.tables import DUE, REFUSED, AuditEntry
from newsletter.installation import Installation
from newsletter.loops import AT_ONCE, Due

CHAIN = "audit"
EXPIRED = "expired"
ENTRIES = table_of(AuditEntry)
_BATCH = 2_000
_LOCK = 0x6E6577736C617564  # "newslaud": the advisory lock that whoever chains the trail holds
_PLACE = update(ENTRIES).where(ENTRIES.c.id == bindparam("which")).values(position=bindparam("at_number"))


def when_due() -> tuple[Due, ...]:
    """Say whether an entry is not chained yet."""
    return (select(AT_ONCE).select_from(ENTRIES).where(ENTRIES.c.position == DUE).limit(1),)


async def chain_all(installation: Installation) -> int:
    """Chain all that is due; give how many entries that were."""
    taken = 0
    while await _is_due(installation):
        async with installation.database.write() as session:
            batch = await chain_batch(session, installation)
        if not batch:
            break
        taken += batch
    return taken


async def _is_due(installation: Installation) -> bool:
    async with installation.database.read() as session:
        return (
            await session.execute(select(ENTRIES.c.id).where(ENTRIES.c.position == DUE).limit(1))
        ).first() is not None


async def chain_batch(session: Session, installation: Installation) -> int:
    """Chain some of what is due; give how many entries it took, 0 where there is nothing or another is at it."""
    if not await _is_free(session):
        return 0
    due = select(ENTRIES).where(ENTRIES.c.position == DUE).order_by(ENTRIES.c.at, ENTRIES.c.id).limit(_BATCH)
    rows = [dict(row) for row in (await session.execute(due)).mappings()]
    ours = [row for row in rows if audit.is_sealed(installation, row)]
    placed = {row["id"]: REFUSED for row in rows}
    if ours:
        first = await chain.append(session, installation, CHAIN, EVENT, [audit.leaf(row) for row in ours])
        placed |= {row["id"]: number for number, row in enumerate(ours, first)}
    await _place(session, placed)
    return len(rows)


async def _is_free(session: Session) -> bool:
    if session.get_bind().dialect.name != "postgresql":
        return True
    locked = await session.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK})
    return bool(locked.scalar_one())


async def _place(session: Session, placed: Mapping[str, int]) -> None:
    if placed:
        connection = await session.connection()
        await connection.execute(_PLACE, [{"which": one, "at_number": number} for one, number in placed.items()])


async def fold(session: Session, installation: Installation, kept: Any) -> int:
    """Delete the contents of the beginning of the chain, up to the first entry that meets the condition `kept`.

    Give how many entries went. An entry of the chain says so, sealed, so that nobody else can say it.
    """
    chained = ENTRIES.c.position > DUE
    first_kept = (await session.execute(select(func.min(ENTRIES.c.position)).where(chained, kept))).scalar_one()
    newest = (await session.execute(select(func.max(ENTRIES.c.position)).where(chained))).scalar_one()
    last = first_kept - 1 if first_kept is not None else newest
    going = chained & (ENTRIES.c.position <= (last or 0))
    gone = (await session.execute(select(func.count()).select_from(ENTRIES).where(going))).scalar_one()
    if gone:
        await session.execute(ENTRIES.delete().where(going))
        said = canonical({"to": last, "at": installation.clock.now().isoformat()})
        await chain.append(session, installation, CHAIN, EXPIRED, [None], said)
    return int(gone)
