"""The commands `person show` and `person erase`, for requests that reach whoever runs the server.

The address is read from the command line, or from standard input, so that it need not stay in a shell's history. Both
are noted in the audit trail, by the person's id.
"""

import sys

import click

from newsletter.commands import JSON, Run, within


def add_to(group: click.Group, run: Run) -> None:
    """Add the commands to the command line; `run` gives them an installation."""

    @group.group()
    def person() -> None:
        """What is held about somebody, by their address."""

    @person.command()
    @click.argument("address")
    @JSON
    def show(address: str, *, as_json: bool) -> None:
        """Show everything held about an address; `-` reads it from standard input.

        Example: newsletter person show kari@example.com --json
        """
        from newsletter.rights import commanded

        canonical = commanded.recognised_by(_given(address))
        click.echo(
            within(run, lambda installation, session: commanded.show(session, installation, canonical, as_json=as_json))
        )

    @person.command()
    @click.argument("address")
    @click.option("--yes", is_flag=True, help="Don't ask.")
    def erase(address: str, *, yes: bool) -> None:
        """Delete everything about an address, but the keyed tags that expire; `-` reads it from standard input.

        Example: newsletter person erase kari@example.com --yes
        """
        from newsletter.rights import commanded

        canonical = commanded.recognised_by(_given(address))
        if address == "-" and not yes:
            raise click.UsageError("Standard input holds the address, so it can't be asked: add --yes.")
        if not yes:
            click.confirm("Everything about this address is deleted, and can't be brought back. Go on?", abort=True)
        within(run, lambda installation, session: commanded.erase(session, installation, canonical))
        click.echo("Deleted.")


def _given(address: str) -> str:
    return sys.stdin.readline() if address == "-" else address
