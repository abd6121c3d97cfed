"""How long the audit trail is kept. What is over loses its content; its hash stays in the chain."""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select

from newsletter.database import Session
from newsletter.editors.audit.chaining import chain_batch, fold
from newsletter.editors.audit.tables import AuditEntry
from newsletter.installation import Installation

MONTH = timedelta(days=30)


def _before(installation: Installation) -> datetime:
    return installation.clock.now() - installation.settings.retention_audit * MONTH


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many entries are over."""
    over = col(AuditEntry.at) < _before(installation)
    return (await session.exec(select(func.count()).select_from(AuditEntry).where(over))).one()


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete the entries that are over; give how many."""
    while await chain_batch(session, installation):
        pass
    return await fold(session, installation, col(AuditEntry.at) >= _before(installation))
