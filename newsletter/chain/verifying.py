"""Going through a chain from its beginning to its end: each entry follows the one before, and is one of ours.

An entry up to the newest head that agrees with it is vouched for by that head; one after it, by its seal.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from newsletter.chain import actions
from newsletter.chain.findings import Fault, Finding, Findings
from newsletter.chain.head_check import Coverage
from newsletter.chain.rules import ERASURE, GENESIS, entry_hash
from newsletter.chain.tables import ChainEntry
from newsletter.database import Session
from newsletter.installation import Installation


@dataclass(slots=True)
class _Walk:
    number: int = 0
    hash: str = GENESIS
    stored_previous: str = ""
    entries: list[Any] = field(default_factory=list)


async def walk(
    session: Session, installation: Installation, name: str, coverage: Coverage, findings: Findings
) -> AsyncIterator[Sequence[Any]]:
    """Give the entries of the chain as plain rows, some thousand at a time, and report whatever is wrong with them."""
    at = _Walk()
    for number in await actions.misplaced(session, name):
        findings.add(Finding(Fault.PLANTED_ENTRY, "the entry stands before the chain's beginning", name, number))
    async for entries in actions.entries(session, name):
        for entry in entries:
            _check(installation, name, entry, at, coverage, findings)
        yield entries


def _check(
    installation: Installation, name: str, entry: Any, at: _Walk, coverage: Coverage, findings: Findings
) -> None:
    if entry.number > at.number + 1:
        first, last = at.number + 1, entry.number - 1
        sentence = "the entry is gone from the chain"
        findings.add(Finding(Fault.DROPPED_ENTRY, sentence, name, first, last if last > first else None))
    made = entry_hash(name, entry.number, entry.kind, entry.leaf, entry.body, entry.previous)
    if entry.previous == at.stored_previous:
        findings.add(Finding(Fault.FORKED, "two entries follow the same one", name, entry.number))
    elif entry.previous != at.hash and entry.number == at.number + 1:
        sentence = "the entry does not follow the one before it: one of the two was changed or moved"
        findings.add(Finding(Fault.CHANGED_ENTRY, sentence, name, entry.number))
    if made != entry.hash:
        findings.add(Finding(Fault.CHANGED_ENTRY, "the entry is not what its hash says", name, entry.number))
    elif entry.number > coverage.number and not actions.is_sealed(installation.keys, made, entry.seal):
        sentence = "the entry was not appended by this installation"
        fault = Fault.FAKED_ERASURE if entry.kind == ERASURE else Fault.PLANTED_ENTRY
        findings.add(Finding(fault, sentence, name, entry.number))
    at.number, at.hash, at.stored_previous = entry.number, entry.hash, entry.previous


async def blinded(session: Session, installation: Installation, name: str, coverage: Coverage) -> bytearray:
    """Give a bit for each number of the chain, set where an erasure of ours blinded it."""
    # As many as there are, and not up to the last number, which whoever writes the database may choose.
    bits = bytearray(await actions.count(session, name) // 8 + 1)
    async for entry in actions.of_kind(session, name, ERASURE):
        if entry.number <= coverage.number or actions.is_sealed(installation.keys, _hash(name, entry), entry.seal):
            for number in read_numbers(entry.body):
                set_blinded(bits, number)
    return bits


def set_blinded(bits: bytearray, number: int) -> None:
    """Set the bit of that number, where the chain has it."""
    if 0 < number < len(bits) << 3:
        bits[number >> 3] |= 1 << (number & 7)


def is_blinded(bits: bytearray, number: int) -> bool:
    """Say whether that number is blinded."""
    return number >> 3 < len(bits) and bool(bits[number >> 3] & 1 << (number & 7))


def read_numbers(body: str | None) -> Sequence[int]:
    """Give the numbers that an erasure names; none where it can't be read."""
    try:
        said = json.loads(body or "[]")
    except ValueError:
        return []
    return [number for number in said if isinstance(number, int)] if isinstance(said, list) else []


def _hash(name: str, entry: ChainEntry) -> str:
    return entry_hash(name, entry.number, entry.kind, entry.leaf, entry.body, entry.previous)
