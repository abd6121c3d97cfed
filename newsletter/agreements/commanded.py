"""What the commands about newsletters and their evidence do."""

import sys
from collections.abc import Mapping

import click

from newsletter.agreements.opening import open_newsletter
from newsletter.agreements.proof import adopting, chaining, verifying
from newsletter.chain.findings import Finding, Findings
from newsletter.chain.heads import sign_heads
from newsletter.chain.heads_file import HeadsFile
from newsletter.database import Session
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.installation import Installation
from newsletter.newsletters import actions as newsletters


async def make(session: Session, installation: Installation, slug: str, given: Mapping[str, str]) -> dict[str, str]:
    """Make a newsletter; give its id, its short name and where readers sign up. Raises InvalidInput or Conflict."""
    made = await open_newsletter(session, installation, slug, given)
    await audit.note(session, installation, audit.CLI, Act.NEWSLETTER_MADE, newsletter_id=made.id)
    return {"id": made.id, "slug": made.slug, "url": installation.url(f"/newsletters/{made.slug}")}


async def verify(installation: Installation, slug: str | None, *, talks: bool) -> tuple[Findings, list[Finding]]:
    """Give what is wrong with the evidence of a newsletter, or of all, and which backups were restored."""
    # After an upgrade nothing else may have run yet; where that was done before, this does nothing.
    file = HeadsFile(installation.settings.heads)
    if await adopting.adopt(installation, file):
        await sign_heads(installation, file)
    async with installation.database.snapshot() as session:
        newsletter = await newsletters.by_slug(session, slug) if slug else None
        length = await verifying.length(session, newsletter)
        restored = await verifying.restored(session, newsletter)
    with click.progressbar(length=length, label="Verifying", file=sys.stderr, hidden=not talks) as bar:
        async with installation.database.snapshot() as session:
            return await verifying.verify(session, installation, newsletter, bar.update), restored


async def note_restore(session: Session, installation: Installation) -> None:
    """Note in every chain that an older database was put in place."""
    await chaining.note_restore(session, installation)
