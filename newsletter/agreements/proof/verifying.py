"""Verifying the evidence: every chain, every event, every notice, against seals, hashes and signed heads.

It reads some thousand rows at a time in one snapshot, so that it may run beside everything else. What it finds it names
by chain, number, event and agreement; it repairs nothing.
"""

from collections.abc import Sequence

from sqlalchemy import bindparam, func
from sqlalchemy import select as select_rows

from newsletter.agreements.notices import chaining as notice_chaining
from newsletter.agreements.proof.chaining import chain_of, newsletter_of
from newsletter.agreements.proof.event_check import ChainToCheck, Progress, check_events
from newsletter.agreements.proof.unchained_check import check_bare, check_unchained
from newsletter.agreements.proof.words_check import check_words
from newsletter.agreements.tables import AgreementEvent
from newsletter.chain import actions as chain
from newsletter.chain import head_check, signing, verifying
from newsletter.chain.findings import CANNOT_BE_READ, Fault, Finding, Findings, unreadable
from newsletter.chain.heads_file import Head, HeadsFile
from newsletter.database import Session, table_of
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter

_EVENTS = table_of(AgreementEvent)


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
    await check_words(session, findings)
    findings.extend(await notice_chaining.check(session))
    names = [chain_of(newsletter.id)] if newsletter else sorted({*await _names(session), *signed})
    for name in names:
        try:
            await _check_named(session, installation, name, signed.get(name, []), findings, progress)
        except CANNOT_BE_READ:
            findings.add(unreadable(name))
    try:
        await check_unchained(session, installation, newsletter, findings)
    except CANNOT_BE_READ:
        findings.add(unreadable(""))
    await check_bare(session, newsletter, findings)
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
    one = ChainToCheck(name, newsletter_of(name), installation, coverage, blinded)
    await check_events(session, one, findings, progress)


async def _names(session: Session) -> set[str]:
    """Give the names of the chains there are, and of those that events claim a place in: a planted one has no chain."""
    names, last = set(await chain.names(session)), ""
    following = select_rows(func.min(_EVENTS.c.newsletter_id)).where(_EVENTS.c.newsletter_id > bindparam("last"))
    while last := (await session.execute(following, {"last": last})).scalar_one() or "":
        names.add(chain_of(last))
    return names
