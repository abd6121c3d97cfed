"""Checking the events of a chain: each is held against the entry that stands for it, and nothing may stand between."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from newsletter.agreements.proof import sealing
from newsletter.agreements.proof.chaining import agreed_content, content_of, with_agreements
from newsletter.agreements.tables import AgreementBlinding, AgreementEvent
from newsletter.chain import verifying
from newsletter.chain.findings import MOST_OF_A_KIND, Fault, Finding, Findings
from newsletter.chain.head_check import Coverage
from newsletter.chain.rules import EVENT
from newsletter.database import Session, table_of
from newsletter.installation import Installation

_EVENTS = table_of(AgreementEvent)
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ChainToCheck:
    """What the check of one chain needs to know; `blinded` is a bit for each entry whose event was erased."""

    name: str
    newsletter_id: str
    installation: Installation
    coverage: Coverage
    blinded: bytearray


async def check_events(session: Session, one: ChainToCheck, findings: Findings, progress: Progress | None) -> None:
    """Go through a chain, and report what is wrong with its events; `progress` is told how many entries it has seen."""
    await _take_waiting_erasures(session, one, findings)
    last = 0
    async for entries in verifying.walk(session, one.installation, one.name, one.coverage, findings):
        if one.newsletter_id:
            query = with_agreements().where(
                _EVENTS.c.newsletter_id == one.newsletter_id, _EVENTS.c.position.between(last + 1, entries[-1].number)
            )
            rows = (await session.execute(query)).mappings().all()
            findings.extend(_compare(one, entries, rows))
        last = entries[-1].number
        if progress:
            progress(len(entries))
    beyond = select(AgreementEvent).where(
        AgreementEvent.newsletter_id == one.newsletter_id, col(AgreementEvent.position) > last
    )
    for event in (await session.exec(beyond.limit(MOST_OF_A_KIND))).all():
        findings.add(_of_event(Fault.PLANTED_EVENT, "the event claims a place behind the chain's end", one, event))


async def _take_waiting_erasures(session: Session, one: ChainToCheck, findings: Findings) -> None:
    """Take what was erased but is not in the chain yet for blinded, where it is sealed."""
    query = select(AgreementBlinding).where(AgreementBlinding.newsletter_id == one.newsletter_id)
    for erasure in (await session.exec(query)).all():
        keys = one.installation.keys
        if not sealing.is_sealed_blinding(keys, erasure.newsletter_id, erasure.numbers, erasure.seal):
            sentence = f"the erasure {erasure.id} of the entries {erasure.numbers} is not one of this installation"
            findings.add(Finding(Fault.FAKED_ERASURE, sentence, one.name))
            continue
        for number in verifying.read_numbers(erasure.numbers):
            verifying.set_blinded(one.blinded, number)


def _compare(one: ChainToCheck, entries: Sequence[Any], rows: Sequence[Any]) -> Iterator[Finding]:
    """Hold events against the entries that stand for them."""
    there: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        there[row["position"]].append(row)
    leaves = {entry.leaf for entry in entries}
    known: dict[str, str] = {}
    for entry in entries:
        events = there.pop(entry.number, [])
        blinded = verifying.is_blinded(one.blinded, entry.number)
        if entry.kind == EVENT and not events and not blinded:
            yield Finding(Fault.DROPPED_EVENT, "the event that this entry stands for is gone", one.name, entry.number)
        if events and (blinded or entry.kind != EVENT):
            sentence = "the event claims a place that was erased, or that is no event's"
            yield from (_of_row(Fault.PLANTED_EVENT, sentence, one, row) for row in events)
        elif len(events) > 1:
            yield from (_of_row(Fault.PLANTED_EVENT, "two events claim this place", one, row) for row in events)
        else:
            yield from (found for row in events if (found := _judge(one, entry, row, leaves, known)))
    for rest in there.values():
        yield from (_of_row(Fault.PLANTED_EVENT, "the event claims a place without an entry", one, row) for row in rest)


def _judge(one: ChainToCheck, entry: Any, row: Any, leaves: set[str | None], known: dict[str, str]) -> Finding | None:
    """Say what is wrong with the event that an entry stands for, if anything is."""
    keys = one.installation.keys
    content = content_of(row, known)
    leaf = sealing.leaf(row["a_salt"], content)
    if leaf == entry.leaf and row["a_newsletter_id"] == one.newsletter_id:
        covered = entry.number <= one.coverage.number
        if covered or sealing.is_sealed_event(keys, content, row["seal"]):
            return None
        return _of_row(Fault.CHANGED_EVENT, "the event was changed, and its entry made to match", one, row)
    if leaf in leaves:
        return _of_row(Fault.REORDERED, "the event has changed places with another", one, row)
    if sealing.is_sealed_agreement(keys, agreed_content(row), row["a_seal"]):
        return _of_row(Fault.CHANGED_EVENT, "the event is not what was chained", one, row)
    return _of_row(Fault.CHANGED_AGREEMENT, "the agreement is not what was chained", one, row)


def _of_row(fault: Fault, sentence: str, one: ChainToCheck, row: Any) -> Finding:
    return Finding(fault, sentence, one.name, row["position"], event_id=row["id"], agreement_id=row["agreement_id"])


def _of_event(fault: Fault, sentence: str, one: ChainToCheck, event: AgreementEvent) -> Finding:
    return Finding(fault, sentence, one.name, event.position, event_id=event.id, agreement_id=event.agreement_id)
