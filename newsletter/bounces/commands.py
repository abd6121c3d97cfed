"""The command `receive`: a mail server hands over what comes to the bounce domain, or asks what a mail means."""

import json
import os
import sys

import click

from newsletter.commands import JSON, Run
from newsletter.errors import MisconfiguredError


def add_to(group: click.Group, run: Run) -> None:
    """Add the command to the command line; `run` gives it an installation."""

    @group.command()
    @click.option("--explain", "explains", is_flag=True, help="Only say what each mail is and means; act on nothing.")
    @click.option(
        "--recipient", "recipients", multiple=True, metavar="ADDRESS", help="Whom the mail is for, by its envelope."
    )
    @click.argument("files", nargs=-1, metavar="[FILE]...")
    @JSON
    def receive(*, explains: bool, recipients: tuple[str, ...], files: tuple[str, ...], as_json: bool) -> None:
        """Take a mail on standard input, for a mail server to hand over what comes to the bounce domain.

        It takes bounces, complaints and the mailto unsubscribe; a worker draws the consequences, and other mail is
        left alone. Ends with 75 where it can't be done just now, so that the mail server tries again later;
        docs/operating.md says how to wire it in Postfix.

        With --explain it reads the files instead, or else standard input, and says of each whether it is a bounce and
        what it means for the address. It needs no settings, and acts on nothing.

        Example: newsletter receive --json --recipient b-mfrgg@bounces.example.com < mail.eml

        Example: newsletter receive --explain --json bounces/*.eml
        """
        if explains:
            _explain(files, as_json=as_json)
            return
        if files:
            raise click.UsageError("Files are read with --explain alone; otherwise the mail comes on standard input.")
        raw = sys.stdin.buffer.read()
        from newsletter.bounces import commanded

        try:
            verdict = commanded.receive(run, raw, recipients)
        except MisconfiguredError as error:
            click.echo(f"newsletter: {error.sentence}", err=True)
            sys.exit(os.EX_TEMPFAIL)
        click.echo(json.dumps({"verdict": verdict}) if as_json else verdict)


def _explain(files: tuple[str, ...], *, as_json: bool) -> None:
    from newsletter.bounces.reading.explaining import contents, explained

    unread = False
    for name, raw in contents(files) if files else [("-", sys.stdin.buffer.read())]:
        if raw is None:
            unread = True
            click.echo(f"newsletter: {click.format_filename(name)} can't be read.", err=True)
        else:
            click.echo(explained(click.format_filename(name), raw, as_json=as_json))
    if unread:
        sys.exit(1)
