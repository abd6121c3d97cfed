"""The command line. Every command has an example in its help, and prints JSON on request where it prints data."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import click

from newsletter import logs, schema
from newsletter.agreements import commands as agreements
from newsletter.agreements.opening import open_newsletter
from newsletter.backup import commands as backup
from newsletter.backup.actions import Migrations
from newsletter.backup.presence import present
from newsletter.bounces import commands as bounces
from newsletter.commands import JSON, within
from newsletter.database import Session
from newsletter.editors import commands as editors
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.imports import commands as imports
from newsletter.installation import Installation, open_installation
from newsletter.mail import commands as mail
from newsletter.retention import commands as retention
from newsletter.rights import commands as rights
from newsletter.settings import load


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """A self-hosted newsletter subscription and consent manager.

    Settings come from the environment (NEWSLETTER_…); see docs/settings.md.
    """


def _open(act: Callable[[Installation], Awaitable[Any]]) -> Any:
    """Run `act` on an up-to-date installation, and give what it gives."""
    settings = load()
    logs.configure()
    settings.keyring()

    async def run() -> Any:
        installation = open_installation(settings)
        try:
            return await act(installation)
        finally:
            await installation.database.close()

    with present(settings):
        schema.bring_up_to_date(settings)
        return asyncio.run(run())


@cli.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=8000, show_default=True, help="The port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--hold", type=click.IntRange(0, 86_400), default=60, show_default=True, help="Seconds until the dead go."
)
def demo(port: int, host: str, hold: int) -> None:
    """Try everything on this machine: a newsletter, subscribers, a draft, and a mail catcher with an inbox page.

    Example: newsletter demo --port 8000
    """
    # Only the demonstration needs an SMTP server.
    from newsletter.demo.running import run

    run(host, port, hold)


@cli.command()
@click.option("--port", default=8000, show_default=True, help="The port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--web-only", is_flag=True, help="Serve pages only; run `newsletter worker` beside it.")
def serve(port: int, host: str, web_only: bool) -> None:
    """Serve the pages, and do the worker's part in the same process.

    Example: newsletter serve --host 0.0.0.0 --port 8000
    """
    logs.configure()
    # Only what serves needs the whole app; the other commands start sooner without it.
    from newsletter.serving import running as serving

    serving.serve(load(), host, port, worker=not web_only)


@cli.command()
def worker() -> None:
    """Mail what waits: letters and mailings. Any number may run, on any number of machines with PostgreSQL.

    Example: newsletter worker
    """
    logs.configure()
    from newsletter.serving import running as serving

    serving.work(load())


@cli.command()
@JSON
def migrate(as_json: bool) -> None:
    """Bring the database up to this version. `serve` and `worker` do it too, at their start.

    Example: newsletter migrate
    """
    settings = load()
    settings.keyring()
    ran = schema.bring_up_to_date(settings)
    if as_json:
        click.echo(json.dumps({"migrations": ran}))
    else:
        click.echo(f"Ran {len(ran)} migrations: {', '.join(ran)}." if ran else "The database is up to date.")


@cli.command()
@click.argument("slug")
@click.option("--name", required=True, help="What readers see.")
@click.option("--sender", required=True, help='Who the mail is from: "Name <address>".')
@click.option("--language", default="nb", show_default=True, help="nb, nn or en.")
@click.option("--description", default="", help="One line for the signup page.")
@JSON
def new(slug: str, name: str, sender: str, language: str, description: str, as_json: bool) -> None:
    """Make a newsletter, with a notice in nb, nn and en to begin with.

    Example: newsletter new weekly --name "Weekly news" --sender "Example <news@example.com>"
    """

    async def act(installation: Installation, session: Session) -> dict[str, str]:
        given = {"name": name, "sender": sender, "language": language, "description": description}
        made = await open_newsletter(session, installation, slug, given)
        await audit.note(session, installation, audit.CLI, Act.NEWSLETTER_MADE, newsletter_id=made.id)
        return {"id": made.id, "slug": made.slug, "url": installation.url(f"/newsletters/{made.slug}")}

    made = within(_open, act)
    click.echo(json.dumps(made) if as_json else f"Readers sign up at {made['url']}")


bounces.add_to(cli, _open)
editors.add_to(cli, _open)
agreements.add_to(cli, _open)
mail.add_to(cli)
imports.add_to(cli, _open)
rights.add_to(cli, _open)
retention.add_to(cli, _open)
backup.add_to(cli, Migrations(schema.upgrade, schema.revisions))
