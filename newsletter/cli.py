"""The command line. Every command has an example in its help, and prints JSON on request where it prints data."""

import asyncio
import getpass
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from newsletter import logs, schema
from newsletter.agreements import adopting, chaining
from newsletter.agreements import verifying as agreements_verifying
from newsletter.agreements.opening import open_newsletter
from newsletter.backup import commands as backup
from newsletter.backup.actions import Migrations
from newsletter.backup.presence import present
from newsletter.bounces.explaining import contents, explained
from newsletter.bounces.receiving import receive as receive_mail
from newsletter.bounces.reports import Taken
from newsletter.chain.findings import Finding, Findings
from newsletter.chain.heads import sign_heads
from newsletter.chain.heads_file import HeadsFile
from newsletter.database import Session
from newsletter.editors import accounts, audit, keys, sessions
from newsletter.editors.audit import Act
from newsletter.errors import MisconfiguredError
from newsletter.imports import commands as imports
from newsletter.installation import Installation, open_installation
from newsletter.mail import dkim_keys
from newsletter.newsletters import actions as newsletters
from newsletter.retention import commands as retention
from newsletter.rights import commands as rights
from newsletter.settings import load

_SAID_OF = {Taken.UNSUBSCRIBED: "unsubscribe", Taken.AUTOMATIC: "ignored"}
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """A self-hosted newsletter subscription and consent manager.

    Settings come from the environment (NEWSLETTER_…); see docs/settings.md.
    """


def _within(act: Callable[[Installation, Session], Awaitable[Any]]) -> Any:
    """Run `act` in one transaction on an up-to-date database, and give what it gives."""

    async def within(installation: Installation) -> Any:
        async with installation.database.write() as session:
            return await act(installation, session)

    return _open(within)


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
@click.option("--port", default=8000, show_default=True, help="The port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
def demo(port: int, host: str) -> None:
    """Try everything on this machine: a newsletter, subscribers, a draft, and a mail catcher with an inbox page.

    Example: newsletter demo --port 8000
    """
    # Only the demonstration needs an SMTP server.
    from newsletter.demo.running import run

    run(host, port)


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
    from newsletter import serving

    serving.serve(load(), host, port, worker=not web_only)


@cli.command()
def worker() -> None:
    """Mail what waits: letters and mailings. Any number may run, on any number of machines with PostgreSQL.

    Example: newsletter worker
    """
    logs.configure()
    from newsletter import serving

    serving.work(load())


@cli.command()
@_JSON
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
@_JSON
def new(slug: str, name: str, sender: str, language: str, description: str, as_json: bool) -> None:
    """Make a newsletter, with a notice in nb, nn and en to begin with.

    Example: newsletter new weekly --name "Weekly news" --sender "Example <news@example.com>"
    """

    async def act(installation: Installation, session: Session) -> dict[str, str]:
        given = {"name": name, "sender": sender, "language": language, "description": description}
        made = await open_newsletter(session, installation, slug, given)
        await audit.note(session, installation, audit.CLI, Act.NEWSLETTER_MADE, newsletter_id=made.id)
        return {"id": made.id, "slug": made.slug, "url": installation.url(f"/newsletters/{made.slug}")}

    made = _within(act)
    click.echo(json.dumps(made) if as_json else f"Readers sign up at {made['url']}")


@cli.command()
@click.option("--explain", "explains", is_flag=True, help="Only say what each mail is and means; act on nothing.")
@click.option(
    "--recipient", "recipients", multiple=True, metavar="ADDRESS", help="Whom the mail is for, by its envelope."
)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@_JSON
def receive(*, explains: bool, recipients: tuple[str, ...], files: tuple[str, ...], as_json: bool) -> None:
    """Take a mail on standard input, for a mail server to hand over what comes to the bounce domain.

    It takes bounces, complaints and the mailto unsubscribe; a worker draws the consequences, and other mail is left
    alone. Ends with 75 where it can't be done just now, so that the mail server tries again later; docs/operating.md
    says how to wire it in Postfix.

    With --explain it reads the files instead, or else standard input, and says of each whether it is a bounce and what
    it means for the address. It needs no settings, and acts on nothing.

    Example: newsletter receive --json --recipient b-mfrgg@bounces.example.com < mail.eml

    Example: newsletter receive --explain --json bounces/*.eml
    """
    if explains:
        _explain(files, as_json=as_json)
        return
    if files:
        raise click.UsageError("Files are read with --explain alone; otherwise the mail comes on standard input.")
    raw = sys.stdin.buffer.read()

    async def act(installation: Installation, session: Session) -> str:
        taken = await receive_mail(session, installation, raw, recipients)
        return _SAID_OF.get(taken, taken.value) if taken else "ignored"

    try:
        verdict = _within(act)
    except (MisconfiguredError, DBAPIError, OSError) as error:
        said = error.sentence if isinstance(error, MisconfiguredError) else "The database can't be reached."
        click.echo(f"newsletter: {said}", err=True)
        sys.exit(os.EX_TEMPFAIL)
    click.echo(json.dumps({"verdict": verdict}) if as_json else verdict)


def _explain(files: tuple[str, ...], *, as_json: bool) -> None:
    unread = False
    for name, raw in contents(files) if files else [("-", sys.stdin.buffer.read())]:
        if raw is None:
            unread = True
            click.echo(f"newsletter: {click.format_filename(name)} can't be read.", err=True)
        else:
            click.echo(explained(click.format_filename(name), raw, as_json=as_json))
    if unread:
        sys.exit(1)


@cli.group()
def editor() -> None:
    """The people who sign in to the console."""


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("Password: ")


@editor.command("add")
@click.argument("address")
@click.option("--name", default="", help="How the console greets them.")
def editor_add(address: str, name: str) -> None:
    """Add an editor; the password is asked for, or read from standard input.

    Example: newsletter editor add ola@example.com --name "Ola Nordmann"
    """
    password = _password()

    async def act(installation: Installation, session: Session) -> None:
        added = await accounts.add(session, installation.clock, address, name, password)
        await audit.note(session, installation, audit.CLI, Act.EDITOR_ADDED, subject_id=added.id)

    _within(act)
    click.echo("Added.")


@editor.command("reset")
@click.argument("address")
def editor_reset(address: str) -> None:
    """Give an editor a new password, and sign them out everywhere.

    Example: newsletter editor reset ola@example.com
    """
    password = _password()

    async def act(installation: Installation, session: Session) -> None:
        changed = await accounts.set_password(session, address, password)
        await sessions.end_all(session, changed.id)
        await audit.note(session, installation, audit.CLI, Act.PASSWORD_RESET, subject_id=changed.id)

    _within(act)
    click.echo("The new password is set.")


@editor.command("remove")
@click.argument("address")
def editor_remove(address: str) -> None:
    """Take an editor's account away. Their name stays as long as the audit trail tells what they did.

    Example: newsletter editor remove ola@example.com
    """

    async def act(installation: Installation, session: Session) -> None:
        removed = await accounts.remove(session, installation.clock, address)
        await audit.note(session, installation, audit.CLI, Act.EDITOR_REMOVED, subject_id=removed)

    _within(act)
    click.echo("Removed.")


@cli.group("agreements")
def agreements_group() -> None:
    """The evidence that people asked for what they get."""


@agreements_group.command("verify")
@click.option("--newsletter", "slug", help="Only the chain of this newsletter.")
@_JSON
def agreements_verify(slug: str | None, as_json: bool) -> None:
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
            length = await agreements_verifying.length(session, newsletter)
            restored = await agreements_verifying.restored(session, newsletter)
        hidden = as_json or not sys.stderr.isatty()
        with click.progressbar(length=length, label="Verifying", file=sys.stderr, hidden=hidden) as bar:
            async with installation.database.snapshot() as session:
                return await agreements_verifying.verify(session, installation, newsletter, bar.update), restored

    found, restored = _open(act)
    if as_json:
        click.echo(json.dumps([finding.as_json() for finding in (*found, *restored)]))
    else:
        lines = [finding.as_line() for finding in found] or ["The evidence is as it was written."]
        click.echo("\n".join([*lines, *(finding.as_line() for finding in restored)]))
    sys.exit(1 if found else 0)


@agreements_group.command("restored")
def agreements_restored() -> None:
    """Note that you put an older database in place by hand. `newsletter restore` notes it by itself.

    Until then `agreements verify` reports that the chains end before their signed heads, and no new head is signed.

    Example: newsletter agreements restored
    """
    _within(lambda installation, session: chaining.note_restore(session, installation))
    click.echo("Noted in every chain.")


@cli.group()
def dkim() -> None:
    """The keys that mail is signed with."""


@dkim.command("new")
@click.option("--selector", default="s1", show_default=True, help="The key's name in the DNS; a new one for each key.")
@click.option("--domain", default="", help="The domain that signs; that of the settings by default.")
@click.option("--ed25519", is_flag=True, help="Make the key of a second signature, beside the RSA one.")
@_JSON
def dkim_new(selector: str, domain: str, ed25519: bool, as_json: bool) -> None:
    """Make a key and print it with the DNS record that publishes it. It is kept nowhere: put it into a file.

    Example: newsletter dkim new --domain example.com --selector s2
    """
    key = dkim_keys.new_key(ed25519=ed25519)
    name, value = dkim_keys.dns_record(domain or load().dkim_domain, selector, key.public_key())
    pem = dkim_keys.private_pem(key)
    if as_json:
        record = {"name": name, "type": "TXT", "value": value}
        click.echo(json.dumps({"selector": selector, "private_key": pem, "record": record}))
        return
    setting = "NEWSLETTER_DKIM_ED25519_KEY_FILE" if ed25519 else "NEWSLETTER_DKIM_KEY_FILE"
    click.echo(f"Publish this in the DNS:\n\n{dkim_keys.zone_line(name, value)}\n")
    click.echo(f"Put this into a file that only the service can read, and name it in {setting}:\n\n{pem}", nl=False)


@cli.group("api-key")
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
@_JSON
def api_key_create(name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make an API key. It is shown this once.

    Example: newsletter api-key create website --scope subscribers --json
    """

    async def act(installation: Installation, session: Session) -> str:
        made, key_id = await keys.create_with_id(session, installation.clock, name, scopes)
        await audit.note(session, installation, audit.CLI, Act.API_KEY_MADE, subject_id=key_id)
        return made

    key = _within(act)
    click.echo(json.dumps({"key": key}) if as_json else key)


imports.add_to(cli, _open)
rights.add_to(cli, _open)
retention.add_to(cli, _open)
backup.add_to(cli, Migrations(schema.upgrade, schema.revisions))
