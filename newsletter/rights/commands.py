"""The commands `person show` and `person erase`, for requests that reach whoever runs the server.

The address is read from the command line, or from standard input, so that it need not stay in a shell's history. Both
are noted in the audit trail, by the person's id.
"""

import sys

import click

from newsletter.addresses import read_address
from newsletter.agreements.actions import Origin
from newsletter.commands import JSON, Run
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import CLI, Act
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.rights import document
from newsletter.rights.access import gather_by_address
from newsletter.rights.holding import Holding
from newsletter.rights.my import choices
from newsletter.rights.my.shown import shown

_NOTHING = "Nothing is held about this address."


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
        canonical = _canonical(address)

        async def act(installation: Installation) -> str:
            async with installation.database.write() as session:
                holding = await gather_by_address(session, installation, canonical)
                if holding.empty:
                    raise NotFound(_NOTHING)
                await audit.note(session, installation, CLI, Act.PERSON_READ, subject_id=_subject(holding))
                if as_json:
                    return (await document.as_json(session, installation, holding)).decode()
            return "\n".join(_lines(installation, holding))

        click.echo(run(act))

    @person.command()
    @click.argument("address")
    @click.option("--yes", is_flag=True, help="Don't ask.")
    def erase(address: str, *, yes: bool) -> None:
        """Delete everything about an address, but the keyed tags that expire; `-` reads it from standard input.

        Example: newsletter person erase kari@example.com --yes
        """
        canonical = _canonical(address)
        if address == "-" and not yes:
            raise click.UsageError("Standard input holds the address, so it can't be asked: add --yes.")
        if not yes:
            click.confirm("Everything about this address is deleted, and can't be brought back. Go on?", abort=True)

        async def act(installation: Installation) -> None:
            async with installation.database.write() as session:
                holding = await gather_by_address(session, installation, canonical)
                origin = Origin("editor", "command")
                if not await choices.erase(session, installation, canonical, origin):
                    raise NotFound(_NOTHING)
                await audit.note(session, installation, CLI, Act.PERSON_ERASED, subject_id=_subject(holding))

        run(act)
        click.echo("Deleted.")


def _canonical(address: str) -> str:
    return read_address(sys.stdin.readline() if address == "-" else address).canonical


def _subject(holding: Holding) -> str | None:
    return holding.subscriber.id if holding.subscriber else None


def _lines(installation: Installation, holding: Holding) -> list[str]:
    held = shown(installation, holding, "en")
    lines = [held["email"], *(f"  {each['label']}: {each['value']}" for each in held["details"])]
    for each in held["subscriptions"]:
        lines.append(f"{each['name']}: {each['state']} since {each['since']:%Y-%m-%d %H:%M} UTC")
        for agreement in each["agreements"]:
            lines.append(f"  agreement {agreement['id']}: {agreement['gdpr_basis']}")
            lines += [f"    {event['at']:%Y-%m-%d %H:%M} UTC {event['what']}" for event in agreement["events"]]
    for each in held["requests"]:
        lines.append(f"{each['name']}: asked for {each['asked_at']:%Y-%m-%d %H:%M} UTC, not confirmed")
    for each in held["tags"]:
        lines.append(f"{each['what']}, until {each['until']:%Y-%m-%d}")
    lines.append(f"{len(held['issues'])} issues; with --json all of it")
    return lines
