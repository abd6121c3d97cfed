"""The command line. Every command has an example in its help, and prints JSON on request where it prints data.

Nothing but click is loaded here: each command loads what it needs when it runs (`commands.py` says how).
"""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from newsletter import VERSION
from newsletter.agreements import commands as agreements
from newsletter.backup import commands as backup
from newsletter.bounces import commands as bounces
from newsletter.commands import JSON
from newsletter.editors import commands as editors
from newsletter.imports import commands as imports
from newsletter.mail import commands as mail
from newsletter.retention import commands as retention
from newsletter.rights import commands as rights

if TYPE_CHECKING:
    from newsletter.backup.actions import Migrations
    from newsletter.installation import Installation


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="newsletter", message="%(prog)s %(version)s")
def cli() -> None:
    """A self-hosted newsletter subscription and consent manager.

    Settings come from the environment (NEWSLETTER_…); see docs/settings.md.
    """


def _open(act: "Callable[[Installation], Awaitable[Any]]") -> Any:
    from newsletter.opened import on_installation

    return on_installation(act)


def _migrations() -> "Migrations":
    from newsletter.backup.actions import Migrations
    from newsletter.schema import upgrading

    return Migrations(upgrading.upgrade, upgrading.revisions)


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
    from newsletter.demo.running import run

    run(host, port, hold)


@cli.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=8000, show_default=True, help="The port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--web-only", is_flag=True, help="Serve pages only; run `newsletter worker` beside it.")
def serve(port: int, host: str, web_only: bool) -> None:
    """Serve the pages, and do the worker's part in the same process.

    Example: newsletter serve --host 0.0.0.0 --port 8000
    """
    from newsletter.serving import commanded

    commanded.serve(host, port, web_only=web_only)


@cli.command()
def worker() -> None:
    """Mail what waits: letters and mailings. Any number may run, on any number of machines with PostgreSQL.

    Example: newsletter worker
    """
    from newsletter.serving import commanded

    commanded.work()


@cli.command()
@JSON
def migrate(as_json: bool) -> None:
    """Bring the database up to this version. `serve` and `worker` do it too, at their start.

    Example: newsletter migrate
    """
    from newsletter import opened

    ran = opened.migrate()
    if as_json:
        click.echo(json.dumps({"migrations": ran}))
    else:
        click.echo(f"Ran {len(ran)} migrations: {', '.join(ran)}." if ran else "The database is up to date.")


bounces.add_to(cli, _open)
editors.add_to(cli, _open)
agreements.add_to(cli, _open)
mail.add_to(cli)
imports.add_to(cli, _open)
rights.add_to(cli, _open)
retention.add_to(cli, _open)
backup.add_to(cli, _migrations)
