"""The commands `agreements verify` and `agreements restored`."""

import json
import sys

import click

from newsletter.agreements.proof import adopting, chaining, verifying
from newsletter.chain.findings import Finding, Findings
from newsletter.chain.heads import sign_heads
from newsletter.chain.heads_file import HeadsFile
from newsletter.commands import JSON, Run, within
from newsletter.installation import Installation
from newsletter.newsletters import actions as newsletters


def add_to(group: click.Group, run: Run) -> None:
    """Add the commands to the command line; `run` gives them an installation."""

    @group.group("agreements")
    def agreements_group() -> None:
        """The evidence that people asked for what they get."""

    @agreements_group.command("verify")
    @click.option("--newsletter", "slug", help="Only the chain of this newsletter.")
    @JSON
    def verify(slug: str | None, as_json: bool) -> None:
        """Find out whether the evidence is as it was written. Ends with 1 where something is wrong, and says what.

        Restored backups are told, too: whether somebody restored one then, only you know. It may run beside everything
        else, and repairs nothing.

        Example: newsletter agreements verify --newsletter weekly --json
        """

        async def act(installation: Installation) -> tuple[Findings, list[Finding]]:
            # After an upgrade nothing else may have run yet; where that was done before, this does nothing.
            file = HeadsFile(installation.settings.heads)
            if await adopting.adopt(installation, file):
                await sign_heads(installation, file)
            async with installation.database.snapshot() as session:
                newsletter = await newsletters.by_slug(session, slug) if slug else None
                length = await verifying.length(session, newsletter)
                restored = await verifying.restored(session, newsletter)
            hidden = as_json or not sys.stderr.isatty()
            with click.progressbar(length=length, label="Verifying", file=sys.stderr, hidden=hidden) as bar:
                async with installation.database.snapshot() as session:
                    return await verifying.verify(session, installation, newsletter, bar.update), restored

        found, restored = run(act)
        if as_json:
            click.echo(json.dumps([finding.as_json() for finding in (*found, *restored)]))
        else:
            lines = [finding.as_line() for finding in found] or ["The evidence is as it was written."]
            click.echo("\n".join([*lines, *(finding.as_line() for finding in restored)]))
        sys.exit(1 if found else 0)

    @agreements_group.command("restored")
    def restored() -> None:
        """Note that you put an older database in place by hand. `newsletter restore` notes it by itself.

        Until then `agreements verify` reports that the chains end before their signed heads, and no new head is signed.

        Example: newsletter agreements restored
        """
        within(run, lambda installation, session: chaining.note_restore(session, installation))
        click.echo("Noted in every chain.")
