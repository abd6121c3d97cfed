"""The commands `retention` and `audit verify`: what a worker does by itself, by hand, and a look at the audit trail."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from newsletter.commands import JSON, Run

if TYPE_CHECKING:
    from newsletter.retention.runs import Ran


def add_to(group: click.Group, run: Run) -> None:
    """Add the commands to the command line; `run` gives them an installation."""

    @group.command()
    @click.option("--dry-run", is_flag=True, help="Only count what would be purged.")
    @JSON
    def retention(*, dry_run: bool, as_json: bool) -> None:
        """Purge what is kept no longer, rule by rule. A worker does this by itself, every ten minutes.

        Ends with 1 where a rule failed.

        Example: newsletter retention --dry-run
        """
        from newsletter.retention import commanded

        ran = run(lambda installation: commanded.purge(installation, dry_run=dry_run))
        click.echo(json.dumps([asdict(one) for one in ran]) if as_json else _said(ran, dry_run=dry_run))
        sys.exit(1 if any(one.error for one in ran) else 0)

    @group.group("audit")
    def audit_group() -> None:
        """The trail of who read and changed what."""

    @audit_group.command()
    @JSON
    def verify(*, as_json: bool) -> None:
        """Find out whether the audit trail is as it was written. Ends with 1 where something is wrong, and says what.

        Example: newsletter audit verify
        """
        from newsletter.retention import commanded

        found, restored = run(commanded.verify_audit)
        if as_json:
            click.echo(json.dumps([finding.as_json() for finding in (*found, *restored)]))
        else:
            lines = [finding.as_line() for finding in found] or ["The audit trail is as it was written."]
            click.echo("\n".join([*lines, *(finding.as_line() for finding in restored)]))
        sys.exit(1 if found else 0)


def _said(ran: "list[Ran]", *, dry_run: bool) -> str:
    did = "would purge" if dry_run else "purged"
    return "\n".join(f"{one.rule}: {f'failed ({one.error})' if one.error else f'{did} {one.purged}'}" for one in ran)
