"""What the commands `retention` and `audit verify` do."""

from newsletter.chain import head_check
from newsletter.chain.findings import Finding, Findings
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit import verifying
from newsletter.editors.audit.chaining import CHAIN
from newsletter.installation import Installation
from newsletter.retention import actions
from newsletter.retention.runs import Ran


async def purge(installation: Installation, *, dry_run: bool) -> list[Ran]:
    """Purge what is kept no longer, or only count it; give how each rule ran."""
    return await actions.by_hand(installation, audit.CLI, dry_run=dry_run)


async def verify_audit(installation: Installation) -> tuple[Findings, list[Finding]]:
    """Give what is wrong with the audit trail, and which backups were restored."""
    async with installation.database.snapshot() as session:
        restored = await head_check.restored(session, [CHAIN])
        return await verifying.verify(session, installation), restored
