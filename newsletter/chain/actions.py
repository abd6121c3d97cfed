"""Appending to a chain. Whoever appends holds the chain's lock to the end of the transaction, so nobody forks it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, text
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from newsletter.chain.rules import GENESIS, entry_hash
from newsletter.chain.tables import ChainEntry
from newsletter.database import Session, table_of, write_rows
from newsletter.installation import Installation
from newsletter.tokens import Keyring

_ENTRIES = table_of(ChainEntry)
_SEAL = "chain-entry"
_READ_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain ends: the number and the hash of its last entry; 0 for one that has none."""

    number: int
    hash: str


async def append(
    session: Session,
    installation: Installation,
    chain_name: str,
    kind: str,
    leaves: Sequence[str | None],
    body: str | None = None,
) -> int:
    """Append an entry of that kind for each leaf, in their order; give the number of the first.

    `body` is what each entry says openly: nothing personal, for an entry is never deleted.
    """
    await lock(session, chain_name)
    last = await end(session, chain_name)
    rows, previous = [], last.hash
    for number, leaf in enumerate(leaves, last.number + 1):
        made = entry_hash(chain_name, number, kind, leaf, body, previous)
        rows.append(
            {
                "chain": chain_name,
                "number": number,
                "kind": kind,
                "leaf": leaf,
                "body": body,
                "previous": previous,
                "hash": made,
                "seal": seal(installation.keys, made),
            }
        )
        previous = made
    await write_rows(session, _ENTRIES, rows)
    return last.number + 1


async def end(session: Session, chain_name: str) -> End:
    """Give where the chain ends."""
    query = select(ChainEntry.number, ChainEntry.hash).where(ChainEntry.chain == chain_name)
    found = (await session.exec(query.order_by(col(ChainEntry.number).desc()).limit(1))).first()
    return End(*found) if found else End(0, GENESIS)


async def entry(session: Session, chain_name: str, number: int) -> ChainEntry | None:
    """Give the entry of that number."""
    return await session.get(ChainEntry, (chain_name, number))


async def entry_hash_at(session: Session, chain_name: str, number: int) -> str | None:
    """Give the hash of the entry of that number, as it is stored."""
    query = select(ChainEntry.hash).where(ChainEntry.chain == chain_name, ChainEntry.number == number)
    return (await session.exec(query)).first()


async def names(session: Session) -> list[str]:
    """Give the names of all chains, in their order. One look at the index for each, however long they are."""
    found: list[str] = []
    last = ""
    following = select_rows(func.min(_ENTRIES.c.chain)).where(_ENTRIES.c.chain > bindparam("last"))
    while last := (await session.execute(following, {"last": last})).scalar_one() or "":
        found.append(last)
    return found


async def entries(session: Session, chain_name: str, after: int = 0) -> AsyncIterator[Sequence[Any]]:
    """Give the entries after that number as plain rows, some thousand at a time."""
    while True:
        query = select_rows(_ENTRIES).where(_ENTRIES.c.chain == chain_name, _ENTRIES.c.number > after)
        found = (await session.execute(query.order_by(_ENTRIES.c.number).limit(_READ_AT_ONCE))).all()
        if not found:
            return
        yield found
        after = found[-1].number


async def misplaced(session: Session, chain_name: str) -> Sequence[int]:
    """Give the numbers below 1 that somebody gave entries: a chain begins at 1, and is read from there."""
    query = select(ChainEntry.number).where(ChainEntry.chain == chain_name, col(ChainEntry.number) < 1)
    return (await session.exec(query.order_by(col(ChainEntry.number)).limit(_READ_AT_ONCE))).all()


async def count(session: Session, chain_name: str) -> int:
    """Give how many entries the chain has, whatever their numbers are."""
    query = select_rows(func.count()).select_from(_ENTRIES).where(_ENTRIES.c.chain == chain_name)
    return int((await session.execute(query)).scalar_one())


async def of_kind(session: Session, chain_name: str, kind: str) -> AsyncIterator[Any]:
    """Give the entries of that kind as plain rows, in their order."""
    after = 0
    query = select_rows(_ENTRIES).where(_ENTRIES.c.chain == chain_name, _ENTRIES.c.kind == kind)
    while True:
        following = query.where(_ENTRIES.c.number > after).order_by(_ENTRIES.c.number).limit(_READ_AT_ONCE)
        found = (await session.execute(following)).all()
        if not found:
            return
        for entry in found:
            yield entry
        after = found[-1].number


def seal(keys: Keyring, entry_hash: str) -> str:
    """Give the seal of the entry with that hash."""
    return keys.seal(_SEAL, entry_hash)


def is_sealed(keys: Keyring, entry_hash: str, seal: str) -> bool:
    """Say whether the entry with that hash was appended by us."""
    return keys.is_sealed(_SEAL, entry_hash, seal)


async def lock(session: Session, chain_name: str) -> None:
    """Keep everybody else from appending to the chain until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:chain, 0))"), {"chain": chain_name})
