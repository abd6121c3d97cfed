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
    @click.option("--without-second-factor", is_flag=True, help="Ask for no code any more, where the phone is lost.")
    def editor_reset(address: str, without_second_factor: bool) -> None:
        """Give an editor a new password, sign them out everywhere, and forget what strangers tried.

        Example: newsletter editor reset ola@example.com
        """
        password = _password()
        from newsletter.editors import commanded

        within(
            run,
            lambda installation, session: commanded.reset(
                session, installation, address, password, without_second_factor=without_second_factor
            ),
        )
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
        help="issues, send, figures, subscribers, import, export or read; several times for several.",
    )
    @click.option("--newsletter", "newsletters", multiple=True, help="For this one only, by its short name.")
    @click.option("--days", type=click.IntRange(1, 3650), default=None, help="Until when it is good; for ever without.")
    @JSON
    def api_key_create(
        name: str, scopes: tuple[str, ...], newsletters: tuple[str, ...], days: int | None, as_json: bool
    ) -> None:
        """Make an API key. It is shown this once.

        Without --scope you are asked what it is for. A script can't be asked: its key may do everything, sending
        included, and a warning says so.

        Example: newsletter api-key create website --scope subscribers --newsletter monthly --days 365 --json
        """
        from newsletter.editors import commanded

        known = commanded.scopes()
        somebody_is_there = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
        wanted = scopes or (_asked(known) if somebody_is_there else known)
        key = within(
            run,
            lambda installation, session: commanded.make_key(
                session, installation, name, wanted, newsletters, days or 0
            ),
        )
        click.echo(json.dumps({"key": key}) if as_json else key)
        if not scopes and not somebody_is_there:
            said = f"Warning: this key may do everything: {', '.join(known)}. Name what it is for, with --scope."
            click.echo(said, err=True)

    @api_key.command("list")
    @JSON
    def api_key_list(as_json: bool) -> None:
        """Show which API keys there are, what each is for, and when it was used last.

        Example: newsletter api-key list
        """
        from newsletter.editors import commanded

        keys = within(run, lambda installation, session: commanded.list_keys(session, installation))
        if as_json:
            click.echo(json.dumps(keys))
            return
        for key in keys:
            whose = "every newsletter" if key["newsletters"] is None else ", ".join(key["newsletters"])
            click.echo(f"{key['id']}  {key['name']} ({key['state']}): {', '.join(key['scopes'])}; {whose}")
            click.echo(f"    made {key['created']}, ends {key['expires'] or 'never'}, used {key['used'] or 'never'}")

    @api_key.command("revoke")
    @click.argument("key_id", metavar="ID")
    def api_key_revoke(key_id: str) -> None:
        """Let an API key open nothing any more. Its id is in `newsletter api-key list`.

        Example: newsletter api-key revoke mfrggzdfmztwq2lknnwg23tpoa
        """
        from newsletter.editors import commanded

        within(run, lambda installation, session: commanded.revoke_key(session, installation, key_id))
        click.echo("Revoked.")


def _asked(known: list[str]) -> list[str]:
    """Give the scopes that somebody at a terminal names: one at least."""
    said = ""
    while not said.replace(",", " ").strip():
        said = click.prompt(f"What is it for? ({', '.join(known)}; one or several)", err=True)
    return said.replace(",", " ").split()


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("Password: ")
