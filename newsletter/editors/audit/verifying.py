"""Verifying the audit trail: whether every act is as it was noted, in its place, and none is missing.

The chain is gone through beside the acts it stands for, some thousand at a time: each link as those of the agreements
are (decision 12), against seals and signed heads; each act must make its leaf again. Only what an `expired` link of
ours says is gone may be missing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from newsletter.chain import actions as chain
from newsletter.chain import head_check, signing, verifying
from newsletter.chain.findings import CANNOT_BE_READ, Fault, Finding, Findings, unreadable
from newsletter.chain.head_check import Coverage
from newsletter.chain.heads_file import HeadsFile, parsed
from newsletter.chain.rules import EVENT, entry_hash
from newsletter.database import Session
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.chaining import CHAIN, ENTRIES, EXPIRED
from newsletter.editors.audit.tables import DUE
from newsletter.installation import Installation


@dataclass(frozen=True, slots=True)
class _Trail:
    """What the check of an act needs to know: seals outlive one rotation of the root secret, signed heads every one."""

    installation: Installation
    coverage: Coverage


async def verify(session: Session, installation: Installation) -> Findings:
    """Give everything that is wrong with the trail. The session must be one that sees a snapshot."""
    findings, file = Findings(), HeadsFile(installation.settings.heads)
    # The file before the database: a head that is signed meanwhile is about what we don't see.
    size = file.size()
    written = await signing.statements(session)
    heads = head_check.read_heads(installation, list(written), file, size, findings).get(CHAIN, [])
    last = (await chain.end(session, CHAIN)).number
    if last and not heads:
        findings.add(Finding(Fault.NO_HEADS, "no signed head vouches for the audit trail yet", CHAIN))
    coverage = await head_check.check_heads(session, installation, CHAIN, heads, findings)
    gone_to = await _gone_to(session, installation, coverage)
    try:
        async for links in verifying.walk(session, installation, CHAIN, coverage, findings):
            await _check_acts(session, _Trail(installation, coverage), links, gone_to, findings)
        await _check_beside(session, installation, last, findings)
    except CANNOT_BE_READ:
        findings.add(unreadable(CHAIN))
    return findings


async def _gone_to(session: Session, installation: Installation, coverage: Coverage) -> int:
    """Give the number up to which our own folding has deleted the acts."""
    gone = 0
    async for link in chain.of_kind(session, CHAIN, EXPIRED):
        made = entry_hash(CHAIN, link.number, link.kind, link.leaf, link.body, link.previous)
        ours = link.number <= coverage.number or chain.is_sealed(installation.keys, made, link.seal)
        to = parsed((link.body or "").encode()).get("to")
        if ours and isinstance(to, int):
            gone = max(gone, to)
    return gone


async def _check_acts(session: Session, one: _Trail, links: Sequence[Any], gone_to: int, findings: Findings) -> None:
    between = ENTRIES.c.position.between(links[0].number, links[-1].number)
    there: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in (await session.execute(select(ENTRIES).where(between))).mappings():
        there[row["position"]].append(dict(row))
    for link in links:
        acts = there.pop(link.number, [])
        if link.kind == EVENT and not acts and link.number > gone_to:
            findings.add(Finding(Fault.DROPPED_EVENT, "the act of this link was deleted", CHAIN, link.number))
        # Of several acts in one place the link says which is the one.
        for act in acts:
            if link.kind != EVENT or audit.leaf(act) != link.leaf:
                sentence = "the act was changed after it was noted, or stands in another's place"
                findings.add(Finding(Fault.CHANGED_EVENT, sentence, CHAIN, link.number, event_id=act["id"]))
            elif link.number > one.coverage.number and not audit.is_sealed(one.installation, act):
                sentence = "the act was changed, and its link made to match"
                findings.add(Finding(Fault.CHANGED_EVENT, sentence, CHAIN, link.number, event_id=act["id"]))
    for act in (act for rest in there.values() for act in rest):
        sentence = "the act claims a place without a link"
        findings.add(Finding(Fault.PLANTED_EVENT, sentence, CHAIN, act["position"], event_id=act["id"]))


async def _check_beside(session: Session, installation: Installation, last: int, findings: Findings) -> None:
    outside = (ENTRIES.c.position <= DUE) | (ENTRIES.c.position > last)
    for row in (await session.execute(select(ENTRIES).where(outside))).mappings():
        act = dict(row)
        if act["position"] > last:
            sentence = "the chain has no link for this act: its end was cut off"
            findings.add(Finding(Fault.PLANTED_EVENT, sentence, CHAIN, act["position"], event_id=act["id"]))
        elif not audit.is_sealed(installation, act):
            sentence = "the act was not noted by this installation, or was changed before it was chained"
            findings.add(Finding(Fault.PLANTED_EVENT, sentence, CHAIN, event_id=act["id"]))
        elif act["position"] != DUE:
            sentence = "the act was kept from being chained"
            findings.add(Finding(Fault.HELD_BACK, sentence, CHAIN, event_id=act["id"]))
