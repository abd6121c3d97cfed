"""The commands `editor` and `api-key`: who may use the console, and which programs may use the API."""

import getpass
import json
import sys

import click

from newsletter.commands import JSON, Run, within


def add_to(group: click.Group, run: Run) -> None:
    """Add the commands to the command line; `run` gives them an installation."""
    _add_editor(group, run)
    _add_api_key(group, run)


def _add_editor(group: click.Group, run: Run) -> None:
    @group.group()
    def editor() -> None:
        """The people who sign in to the console."""

    @editor.command("add")
    @click.argument("address")
    @click.option("--name", default="", help="How the console greets them.")
    def editor_add(address: str, name: str) -> None:
        """Add an editor; the password is asked for, or read from standard input.

        Example: newsletter editor add ola@example.com --name "Ola Nordmann"
        """
        password = _password()
        from newsletter.editors import commanded

        within(run, lambda installation, session: commanded.add(session, installation, address, name, password))
        click.echo("Added.")

    @editor.command("reset")
    @click.argument("address")
    def editor_reset(address: str) -> None:
        """Give an editor a new password, and sign them out everywhere.

        Example: newsletter editor reset ola@example.com
        """
        password = _password()
        from newsletter.editors import commanded

        within(run, lambda installation, session: commanded.reset(session, installation, address, password))
        click.echo("The new password is set.")

    @editor.command("remove")
    @click.argument("address")
    def editor_remove(address: str) -> None:
        """Take an editor's account away. Their name stays as long as the audit trail tells what they did.

        Example: newsletter editor remove ola@example.com
        """
        from newsletter.editors import commanded

        within(run, lambda installation, session: commanded.remove(session, installation, address))
        click.echo("Removed.")


def _add_api_key(group: click.Group, run: Run) -> None:
    @group.group("api-key")
    def api_key() -> None:
        """The keys with which other programs use the API."""

    @api_key.command("create")
    @click.argument("name")
    @click.option(
        "--scope",
        "scopes",
        multiple=True,
        help="issues, send, figures, subscribers, import or export; several times for several. All by default.",
    )
    @JSON
    def api_key_create(name: str, scopes: tuple[str, ...], as_json: bool) -> None:
        """Make an API key. It is shown this once.

        Example: newsletter api-key create website --scope subscribers --json
        """
        from newsletter.editors import commanded

        key = within(run, lambda installation, session: commanded.make_key(session, installation, name, scopes))
        click.echo(json.dumps({"key": key}) if as_json else key)


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("Password: ")
