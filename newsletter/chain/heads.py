"""Signing the heads of the chains (decision 12).

A head is signed only where the chain goes on from the head before it, entry by entry, each with our seal. So whoever
can write the database, but not this file and not the keys, never gets a head for what they changed. A chain that a
restored backup set back goes on from there only where an entry of ours says that it was restored.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.chain import actions, signing
from newsletter.chain.actions import End
from newsletter.chain.heads_file import HEAD, KEY, Head, HeadsFile, head_of, parsed
from newsletter.chain.rules import GENESIS, RESTORE, canonical, entry_hash
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.logs import get_logger


@dataclass(frozen=True, slots=True)
class Restore:
    """An entry that says that the database was restored; `after` is the count and hash of the head that it leaves."""

    number: int
    at: str
    after: tuple[Any, ...]
    hash: str
    seal: str


_log = get_logger(__name__)


async def sign_heads(installation: Installation, file: HeadsFile) -> int:
    """Sign the head of every chain that has grown since its last one; give how many that were."""
    standing = await asyncio.to_thread(file.standing)
    heads = []
    async with installation.database.read() as session:
        for name in await actions.names(session):
            end, newest = await actions.end(session, name), standing.newest.get(name)
            if newest is not None and (newest.count, newest.hash) == (end.number, end.hash):
                continue
            grown = await _sound_end(session, installation, file, name, newest)
            if grown is None:
                _log.error("chain_head_withheld", chain=name)
            else:
                heads.append((name, grown))
        gone = set(standing.introduced) - set(await signing.known(session))
    if gone:
        # As after a restore to before a rotation: what an old key signed must go on being verifiable.
        async with installation.database.write() as session:
            await signing.put_back(session, installation, [standing.introduced[key] for key in sorted(gone)])
    if heads:
        await _write(installation, file, heads, introduced=set(standing.introduced))
    return len(heads)


async def _write(
    installation: Installation, file: HeadsFile, heads: list[tuple[str, End]], *, introduced: set[str]
) -> None:
    current = signing.own_keys(installation.keys)[0]
    kid, at = signing.key_id(signing.public_bytes(current)), installation.clock.now().isoformat()
    lines: list[Mapping[str, Any]] = []
    if kid not in introduced:
        async with installation.database.write() as session:
            await signing.introduce(session, installation)
            said = [one for one in await signing.statements(session) if one.get("key") and one["key"] not in introduced]
        lines += [{"type": KEY, "key": one["key"], "statement": one, "signed_with": kid} for one in said]
    lines += [
        {"type": HEAD, "chain": name, "count": end.number, "hash": end.hash, "at": at, "key": kid}
        for name, end in heads
    ]
    await asyncio.to_thread(file.append, lines, lambda content: signing.sign(current, content))


async def _sound_end(
    session: Session, installation: Installation, file: HeadsFile, name: str, newest: Head | None
) -> End | None:
    """Give where the chain ends, where it got there from the newest head in a way we know; None where not."""
    base = End(0, GENESIS)
    if newest is not None:
        there = await actions.entry(session, name, newest.count)
        if there is not None and there.hash == newest.hash:
            base = End(newest.count, newest.hash)
        elif await _is_restored(session, installation, name, newest):
            base = await _newest_that_holds(session, file, name)
        else:
            return None
    async for entries in actions.entries(session, name, base.number):
        for entry in entries:
            made = entry_hash(name, entry.number, entry.kind, entry.leaf, entry.body, base.hash)
            if entry.number != base.number + 1 or entry.hash != made:
                return None
            if not actions.is_sealed(installation.keys, made, entry.seal):
                return None
            base = End(entry.number, made)
    return base


async def restores(session: Session, name: str) -> list[Restore]:
    """Give the restores that the chain knows of. One that is not what its hash says, or has no place in it, is none."""
    found = []
    async for entry in actions.of_kind(session, name, RESTORE):
        said = parsed((entry.body or "").encode())
        after = said.get("after")
        made = entry_hash(name, entry.number, entry.kind, entry.leaf, entry.body, entry.previous)
        if isinstance(after, list) and made == entry.hash:
            found.append(Restore(entry.number, str(said.get("at")), tuple(after), entry.hash, entry.seal))
    return found


async def _is_restored(session: Session, installation: Installation, name: str, newest: Head) -> bool:
    return any(
        restore.after == (newest.count, newest.hash)
        and actions.is_sealed(installation.keys, restore.hash, restore.seal)
        for restore in await restores(session, name)
    )


async def _newest_that_holds(session: Session, file: HeadsFile, name: str) -> End:
    heads = [head for _, line in file.lines() if (head := head_of(parsed(line))) is not None and head.chain == name]
    for head in reversed(heads):
        entry = await actions.entry(session, name, head.count)
        if entry is not None and entry.hash == head.hash:
            return End(head.count, head.hash)
    return End(0, GENESIS)


async def note_restore(session: Session, installation: Installation) -> None:
    """Append to every chain that the database was restored, naming the head that is left behind."""
    standing = await asyncio.to_thread(HeadsFile(installation.settings.heads).standing)
    for name in sorted({*standing.newest, *await actions.names(session)}):
        newest = standing.newest.get(name)
        after = [newest.count, newest.hash] if newest else None
        body = canonical({"after": after, "at": installation.clock.now().isoformat()})
        await actions.append(session, installation, name, RESTORE, [None], body)
