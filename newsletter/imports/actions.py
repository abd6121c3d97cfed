"""Imports: taken in, described, checked, started, cancelled. The worker does the rest (see `working`)."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select

from newsletter.database import Session, database_seconds
from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.imports import staging
from newsletter.imports.evidence import CURRENT, Evidence
from newsletter.imports.reading import columns
from newsletter.imports.rules import LEASE_SECONDS, OPEN, WORKING, move
from newsletter.imports.staging import Staged
from newsletter.imports.tables import Import, ImportRefusal, ImportState
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.signup.offers import Offer, offer

UNUSED_FOR = timedelta(days=7)
REPORTS_FOR = timedelta(days=14)
_LONGEST_NAME = 200


async def begin(
    session: Session, installation: Installation, newsletter: Newsletter, actor: str, staged: Staged, file_name: str
) -> Import:
    """Write down a file that was put into its place. `actor` is who brought it, as the audit trail says it."""
    now = installation.clock.now()
    job = Import(
        id=staged.import_id,
        newsletter_id=newsletter.id,
        actor=actor,
        state=ImportState.UPLOADED,
        file_name="".join(character for character in file_name if character.isprintable())[-_LONGEST_NAME:],
        size=staged.size,
        file_hash=staged.hash,
        encoding=staged.shape.encoding,
        delimiter=staged.shape.delimiter,
        created_at=now,
        changed_at=now,
    )
    session.add(job)
    await session.flush()
    return job


async def describe(
    session: Session, installation: Installation, job: Import, evidence: Evidence, meaning: columns.Columns
) -> None:
    """Say what the columns mean, and what is to be known of these people.

    Raises InvalidInput where a column is missing, Conflict for a notice that the newsletter never showed.
    """
    if job.state in WORKING:
        raise Conflict("This import is under way.")
    columns.check(meaning, sale_needed=evidence.sale_needed)
    offered = await offer_of(session, installation, job)
    if evidence.notice != CURRENT:
        offered.ever(evidence.notice)
    elif evidence.gdpr_basis:
        offered.in_force(offered.language)
    job.mode = evidence.mode
    job.gdpr_basis, job.marketing_basis = evidence.gdpr_basis, evidence.marketing_basis
    job.opt_out_shown, job.notice = evidence.opt_out_shown, evidence.notice
    job.source, job.evidence_hash = evidence.source, evidence.evidence_hash
    job.columns = columns.as_text(meaning)
    job.changed_at = installation.clock.now()


async def offer_of(session: Session, installation: Installation, job: Import) -> Offer:
    """Give the notices of the import's newsletter."""
    newsletter = await session.get_one(Newsletter, job.newsletter_id)
    return await offer(session, newsletter.slug, installation.clock.now())


async def check(session: Session, installation: Installation, job: Import, holder: str = "") -> None:
    """Let a worker look through the file, or `holder`, who will do it; nothing is changed but the report."""
    await _set_off(session, installation, job, "check", holder)


async def start(session: Session, installation: Installation, job: Import, holder: str = "") -> None:
    """Let a worker take the people in, or `holder`, who will do it."""
    await _set_off(session, installation, job, "start", holder)


async def _set_off(session: Session, installation: Installation, job: Import, act: str, holder: str) -> None:
    state = move(job.state, act)
    if not job.source:
        sentence = "Say first where these people come from, and on which ground you write to them."
        raise InvalidInput(sentence, {"source": sentence})
    job.state, job.changed_at, job.trouble = state, installation.clock.now(), None
    job.done_to = job.row = job.rows = job.accepted = job.known = job.refused = job.withheld = 0
    job.holder, job.leased_until = holder, 0.0
    if holder:
        job.leased_until = (await session.exec(select(database_seconds()))).one() + LEASE_SECONDS
    await session.execute(delete(ImportRefusal).where(col(ImportRefusal.import_id) == job.id))


def cancel(installation: Installation, job: Import) -> None:
    """Stop an import for good. Who is in already stays; the file is deleted."""
    job.state, job.finished_at = move(job.state, "cancel"), installation.clock.now()
    job.changed_at = job.finished_at
    staging.discard(installation, job.id)


async def by_id(session: Session, import_id: str, *, lock: bool = False) -> Import:
    """Give an import. Raises NotFound."""
    job = await session.get(Import, import_id, with_for_update=lock, populate_existing=lock)
    if job is None:
        raise NotFound("There is no such import here.")
    return job


async def latest(session: Session, newsletter_id: str, limit: int = 20) -> list[Import]:
    """Give the newest imports of a newsletter."""
    query = select(Import).where(Import.newsletter_id == newsletter_id)
    return list((await session.exec(query.order_by(col(Import.created_at).desc()).limit(limit))).all())


async def refusals(session: Session, import_id: str, after: int = 0, limit: int = 1000) -> list[tuple[int, str]]:
    """Give refused rows by number and the code of the reason, from after a row on."""
    query = select(ImportRefusal.row, ImportRefusal.reason).where(
        ImportRefusal.import_id == import_id, ImportRefusal.row > after
    )
    return [(row, reason) for row, reason in (await session.exec(query.order_by(col(ImportRefusal.row)).limit(limit)))]


async def reasons(session: Session, import_id: str) -> Mapping[str, int]:
    """Give how many rows were refused for each reason, the most frequent first."""
    count = func.count()
    query = select(ImportRefusal.reason, count).where(ImportRefusal.import_id == import_id)
    return dict((await session.exec(query.group_by(ImportRefusal.reason).order_by(count.desc()))).all())


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many files lie unused for a week, and how many imports keep their report for longer than two."""
    return len(await _expired(session, installation))


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete those files and reports, and whatever file has no open import; give how many imports were concerned.

    The import itself stays, as evidence of where people came from; it names nobody.
    """
    expired = await _expired(session, installation)
    for job in expired:
        if job.state in OPEN:
            cancel(installation, job)
        job.file_name = ""
        await session.execute(delete(ImportRefusal).where(col(ImportRefusal.import_id) == job.id))
    await session.flush()
    kept = set((await session.exec(select(Import.id).where(col(Import.state).in_(OPEN)))).all())
    sweep(installation, kept)
    return len(expired)


async def _expired(session: Session, installation: Installation) -> list[Import]:
    now = installation.clock.now()
    unused = (
        col(Import.state).in_(OPEN) & ~col(Import.state).in_(WORKING) & (col(Import.changed_at) <= now - UNUSED_FOR)
    )
    refused = select(ImportRefusal.import_id).where(col(ImportRefusal.import_id) == col(Import.id)).exists()
    old = ~col(Import.state).in_(OPEN) & (col(Import.changed_at) <= now - REPORTS_FOR)
    reported = old & (refused | (col(Import.file_name) != ""))
    return list((await session.exec(select(Import).where(unused | reported))).all())


def sweep(installation: Installation, kept: set[str]) -> None:
    """Delete the files of imports that are not among `kept` and lie there for more than an hour."""
    now = installation.clock.now().timestamp()
    for path in staging.folder(installation).glob("*.csv"):
        if path.stem not in kept and path.stat().st_mtime < now - 3600:
            path.unlink(missing_ok=True)
