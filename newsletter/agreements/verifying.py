"""Verifying the evidence: every chain, every event, every notice, against seals, hashes and signed heads.

It reads some thousand rows at a time in one snapshot, so that it may run beside everything else. What it finds it names
by chain, number, event and agreement; it repairs nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, bindparam, exists, func, or_
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from newsletter.agreements import notice_chaining, sealing
from newsletter.agreements.chaining import agreed_content, chain_of, content_of, newsletter_of, with_agreements
from newsletter.agreements.notices import Wording
from newsletter.agreements.tables import (
    DUE,
    Agreement,
    AgreementBlinding,
    AgreementEvent,
    AgreementTerms,
    EventKind,
    Notice,
)
from newsletter.chain import actions as chain
from newsletter.chain import head_check, signing, verifying
from newsletter.chain.findings import CANNOT_BE_READ, Fault, Finding, Findings, unreadable
from newsletter.chain.head_check import Coverage
from newsletter.chain.heads_file import Head, HeadsFile
from newsletter.chain.rules import EVENT, sha256
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.subscribers.tables import Subscription, SubscriptionState

_EVENTS: Table = AgreementEvent.__table__  # type: ignore[attr-defined]
_AGREEMENTS: Table = Agreement.__table__  # type: ignore[attr-defined]
_AT_ONCE = 5_000
_MOST = 1_000
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _Chain:
    """What the check of one chain needs to know."""

    name: str
    newsletter_id: str
    installation: Installation
    coverage: Coverage
    blinded: bytearray


async def length(session: Session, newsletter: Newsletter | None = None) -> int:
    """Give how many entries there are to go through."""
    names = [chain_of(newsletter.id)] if newsletter else await chain.names(session)
    return sum([(await chain.end(session, name)).number for name in names])


async def verify(
    session: Session, installation: Installation, newsletter: Newsletter | None = None, progress: Progress | None = None
) -> Findings:
    """Verify everything, or the chain of one newsletter; `progress` is told how many entries it has gone through.

    The session must be fresh, and must see a snapshot.
    """
    findings, file = Findings(), HeadsFile(installation.settings.heads)
    # The file before the database: a head that is signed meanwhile is about what we don't see.
    size = file.size()
    written = await signing.statements(session)
    signed = head_check.read_heads(installation, list(written), file, size, findings)
    await _check_words(session, findings)
    findings.extend(await notice_chaining.check(session))
    names = [chain_of(newsletter.id)] if newsletter else sorted({*await _names(session), *signed})
    for name in names:
        try:
            await _check_named(session, installation, name, signed.get(name, []), findings, progress)
        except CANNOT_BE_READ:
            findings.add(unreadable(name))
    try:
        await _check_unchained(session, installation, newsletter, findings)
    except CANNOT_BE_READ:
        findings.add(unreadable(""))
    await _check_bare(session, newsletter, findings)
    return findings


async def restored(session: Session, newsletter: Newsletter | None = None) -> list[Finding]:
    """Give the restores that left signed entries behind, of every chain or that of one newsletter."""
    names = [chain_of(newsletter.id)] if newsletter else await chain.names(session)
    return await head_check.restored(session, names)


async def _check_named(
    session: Session,
    installation: Installation,
    name: str,
    heads: Sequence[Head],
    findings: Findings,
    progress: Progress | None,
) -> None:
    if not heads and (await chain.end(session, name)).number:
        findings.add(Finding(Fault.NO_HEADS, "no signed head vouches for this chain", name))
    coverage = await head_check.check_heads(session, installation, name, heads, findings)
    blinded = await verifying.blinded(session, installation, name, coverage)
    await _check_chain(session, _Chain(name, newsletter_of(name), installation, coverage, blinded), findings, progress)


async def _names(session: Session) -> set[str]:
    """Give the names of the chains there are, and of those that events claim a place in: a planted one has no chain."""
    names, last = set(await chain.names(session)), ""
    following = select_rows(func.min(_EVENTS.c.newsletter_id)).where(_EVENTS.c.newsletter_id > bindparam("last"))
    while last := (await session.execute(following, {"last": last})).scalar_one() or "":
        names.add(chain_of(last))
    return names


async def _check_words(session: Session, findings: Findings) -> None:
    for notice in (await session.exec(select(Notice))).all():
        if Wording(notice.language, notice.label, notice.text).hash != notice.hash:
            sentence = f"the notice {notice.hash} no longer has the words that its name is the hash of"
            findings.add(Finding(Fault.CHANGED_NOTICE, sentence))
    for terms in (await session.exec(select(AgreementTerms))).all():
        if sha256(terms.body) != terms.hash:
            sentence = f"the terms {terms.hash} no longer have the words that their name is the hash of"
            findings.add(Finding(Fault.CHANGED_TERMS, sentence))
    await _check_kept(session, _AGREEMENTS.c.notice_hash, col(Notice.hash), Fault.CHANGED_NOTICE, "notice", findings)
    await _check_kept(
        session, _AGREEMENTS.c.terms_hash, col(AgreementTerms.hash), Fault.CHANGED_TERMS, "terms", findings
    )


async def _check_kept(session: Session, referred: Any, kept: Any, fault: Fault, what: str, findings: Findings) -> None:
    """Report words that agreements rest on and that are gone."""
    missing = select_rows(referred).where(referred.is_not(None), ~exists().where(kept == referred))
    for gone in (await session.execute(missing.distinct().limit(_MOST))).scalars():
        findings.add(Finding(fault, f"the {what} {gone}, which agreements rest on, can no longer be found"))


async def _check_chain(session: Session, one: _Chain, findings: Findings, progress: Progress | None) -> None:
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
    for event in (await session.exec(beyond.limit(_MOST))).all():
        findings.add(_of_event(Fault.PLANTED_EVENT, "the event claims a place behind the chain's end", one, event))


async def _take_waiting_erasures(session: Session, one: _Chain, findings: Findings) -> None:
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


def _compare(one: _Chain, entries: Sequence[Any], rows: Sequence[Any]) -> Iterator[Finding]:
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


def _judge(one: _Chain, entry: Any, row: Any, leaves: set[str | None], known: dict[str, str]) -> Finding | None:
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


async def _check_unchained(
    session: Session, installation: Installation, newsletter: Newsletter | None, findings: Findings
) -> None:
    """Check the events that are not in a chain, or in another's than their agreement's, and agreements without any."""
    apart = or_(
        _EVENTS.c.position.is_(None),
        _EVENTS.c.position <= DUE,
        _EVENTS.c.newsletter_id != _AGREEMENTS.c.newsletter_id,
    )
    query = with_agreements().where(apart)
    if newsletter is not None:
        query = query.where(_AGREEMENTS.c.newsletter_id == newsletter.id)
    known: dict[str, str] = {}
    rows = await session.stream(query, execution_options={"yield_per": _AT_ONCE})
    async for row in rows.mappings():
        known.clear()
        if (finding := _judge_unchained(installation, row, known)) is not None:
            findings.add(finding)


async def _check_bare(session: Session, newsletter: Newsletter | None, findings: Findings) -> None:
    """Report agreements that nobody gave, and active subscriptions that rest on none."""
    given = exists().where(
        col(AgreementEvent.agreement_id) == col(Agreement.id),
        col(AgreementEvent.kind).in_((EventKind.GIVEN, EventKind.IMPORTED)),
    )
    bare = select(Agreement).where(col(Agreement.subscription_id).is_not(None), ~given).limit(_MOST)
    for agreement in (await session.exec(bare)).all():
        if newsletter is None or agreement.newsletter_id == newsletter.id:
            sentence = "nothing says that this agreement was ever given"
            name = chain_of(agreement.newsletter_id)
            findings.add(Finding(Fault.DROPPED_EVENT, sentence, name, agreement_id=agreement.id))
    rests = exists().where(
        col(Agreement.subscription_id) == col(Subscription.id),
        col(Agreement.newsletter_id) == col(Subscription.newsletter_id),
    )
    query = select(Subscription).where(Subscription.state == SubscriptionState.ACTIVE, ~rests).limit(_MOST)
    for subscription in (await session.exec(query)).all():
        if newsletter is None or subscription.newsletter_id == newsletter.id:
            sentence = f"the subscription {subscription.id} rests on no agreement"
            findings.add(Finding(Fault.DROPPED_EVENT, sentence, chain_of(subscription.newsletter_id)))


def _judge_unchained(installation: Installation, row: Any, known: dict[str, str]) -> Finding | None:
    name = chain_of(row["a_newsletter_id"])
    about: dict[str, Any] = {"chain": name, "event_id": row["id"], "agreement_id": row["agreement_id"]}
    if row["newsletter_id"] != row["a_newsletter_id"]:
        return Finding(Fault.CHANGED_EVENT, "the event was moved to another newsletter", **about)
    if not sealing.is_sealed_event(installation.keys, content_of(row, known), row["seal"]):
        if not sealing.is_sealed_agreement(installation.keys, agreed_content(row), row["a_seal"]):
            return Finding(Fault.CHANGED_AGREEMENT, "the agreement is not as this installation wrote it", **about)
        return Finding(Fault.PLANTED_EVENT, "the event is not as this installation wrote it", **about)
    is_waiting = row["position"] is None and row["a_subscription_id"] is None
    if row["position"] != DUE and not is_waiting:
        return Finding(Fault.HELD_BACK, "the event was kept from being chained", **about)
    return None


def _of_row(fault: Fault, sentence: str, one: _Chain, row: Any) -> Finding:
    return Finding(fault, sentence, one.name, row["position"], event_id=row["id"], agreement_id=row["agreement_id"])


def _of_event(fault: Fault, sentence: str, one: _Chain, event: AgreementEvent) -> Finding:
    return Finding(fault, sentence, one.name, event.position, event_id=event.id, agreement_id=event.agreement_id)
