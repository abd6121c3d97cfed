"""Checking the file of heads by itself, and against the chains in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from newsletter.chain import actions, heads, signing
from newsletter.chain.findings import Fault, Finding, Findings
from newsletter.chain.heads_file import KEY, Head, HeadsFile, head_of, parsed, sha256_of
from newsletter.chain.rules import GENESIS
from newsletter.database import Session
from newsletter.installation import Installation


@dataclass(slots=True)
class Coverage:
    """How far the heads vouch for a chain: each entry up to `number` is as it was when its head was signed."""

    number: int = 0
    heads: Mapping[int, str] = field(default_factory=dict)


def read_heads(
    installation: Installation, written: Sequence[Any], file: HeadsFile, size: int, findings: Findings
) -> dict[str, list[Head]]:
    """Give the heads of the file up to `size`, chain by chain; report each line that is not signed as it should be.

    `written` are the introductions of keys that the database has.
    """
    introduced = _introductions(file, size)
    keys = signing.trusted(installation.keys, [*written, *introduced])
    filed = {said.get("key") for said in introduced if isinstance(said, Mapping)}
    for said in written:
        # One that the file does not have yet is new, and not changed.
        if said not in introduced and (not said.get("key") or said["key"] in filed):
            sentence = f"the introduction of the key {said.get('key', '')} is not as the heads file has it"
            findings.add(Finding(Fault.CHANGED_KEY, sentence))
    read: dict[str, list[Head]] = {}
    before = GENESIS
    for number, line in file.lines(size):
        said = parsed(line)
        wrong = _wrong(said, before, keys)
        if wrong:
            sentence = f"line {number} of the heads file {wrong}"
            findings.add(Finding(Fault.BAD_HEAD, sentence, str(said.get("chain", ""))))
        elif (head := head_of(said)) is not None:
            read.setdefault(head.chain, []).append(head)
        before = sha256_of(line)
    return read


def _wrong(said: Mapping[str, Any], before: str, keys: Mapping[str, bytes]) -> str:
    kid = str(said.get("signed_with") or said.get("key"))
    content = {name: value for name, value in said.items() if name != "signature"}
    if kid not in keys:
        return "is signed with a key that no key of ours vouches for (is NEWSLETTER_SECRET_KEY the right one?)"
    if not signing.is_signed(keys[kid], content, str(said.get("signature"))):
        return "has a signature that is not right"
    if said.get("before") != before:
        return "does not follow the line before it: something was taken out there"
    return ""


def _introductions(file: HeadsFile, size: int) -> list[Any]:
    return [said.get("statement") for _, line in file.lines(size) if (said := parsed(line)).get("type") == KEY]


async def check_heads(
    session: Session, installation: Installation, name: str, signed: Sequence[Head], findings: Findings
) -> Coverage:
    """Hold the heads of a chain against its entries; give how far they vouch for it.

    Where a restore is on record, the heads that it left behind need not be there.
    """
    end = await actions.end(session, name)
    stored = await _hashes(session, name, [head.count for head in signed])
    matched = {head.count: head.hash for head in signed if stored.get(head.count) == head.hash}
    covered = max(matched, default=0)
    left = await _left_behind(session, installation, name, signed, covered)
    wrong = [
        head
        for place, head in enumerate(signed)
        if stored.get(head.count) != head.hash and not _is_left(left, place, head)
    ]
    ahead = [head for head in wrong if head.count > end.number]
    changed = [head for head in wrong if head.count <= end.number]
    if ahead:
        newest = max(ahead, key=lambda head: head.count)
        sentence = (
            f"the chain ends at {end.number}, but a head signed at {newest.at} counts {newest.count} entries: "
            "its end was cut off, or an older database was put in its place without `newsletter restore`"
        )
        findings.add(Finding(Fault.TAIL_CUT, sentence, name, end.number + 1, newest.count))
    if changed:
        first = min(changed, key=lambda head: head.count)
        since = max((count for count in matched if count < first.count), default=0)
        sentence = f"the entries from {since + 1} on were computed anew: a head signed at {first.at} says otherwise"
        findings.add(Finding(Fault.RECOMPUTED, sentence, name, since + 1, first.count))
    return Coverage(covered, matched)


async def _hashes(session: Session, name: str, counts: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for count in sorted(set(counts)):
        entry = await actions.entry_hash_at(session, name, count)
        if entry is not None:
            found[count] = entry
    return found


async def _left_behind(
    session: Session, installation: Installation, name: str, signed: Sequence[Head], covered: int
) -> list[tuple[int, int]]:
    """Give for each restore that is ours the place of the last head it left behind, and its own number."""
    left = []
    for restore in await heads.restores(session, name):
        ours = restore.number <= covered or actions.is_sealed(installation.keys, restore.hash, restore.seal)
        places = [place for place, head in enumerate(signed) if (head.count, head.hash) == restore.after]
        if ours and places:
            left.append((places[-1], restore.number))
    return left


def _is_left(left: Sequence[tuple[int, int]], place: int, head: Head) -> bool:
    return any(place <= last and head.count >= number for last, number in left)


async def restored(session: Session, names: Sequence[str]) -> list[Finding]:
    """Give each restore that left signed entries behind: no fault where a backup was restored then.

    But whoever removes a tombstone from the database makes it look like an older one, and may have cut the chain.
    """
    found = []
    for name in names:
        for restore in await heads.restores(session, name):
            count = restore.after[0] if restore.after else None
            if isinstance(count, int) and count >= restore.number:
                sentence = (
                    f"an older database was put in place by {restore.at}, and these signed entries were left behind: "
                    "if no backup was restored then, somebody cut the chain"
                )
                found.append(Finding(Fault.RESTORED, sentence, name, restore.number, count))
    return found
