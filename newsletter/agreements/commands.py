"""The commands `new`, `agreements verify` and `agreements restored`."""

import json
import sys

import click

from newsletter.commands import JSON, Run, within


def add_to(group: click.Group, run: Run) -> None:
    """Add the commands to the command line; `run` gives them an installation."""
    _add_new(group, run)
    _add_agreements(group, run)


def _add_new(group: click.Group, run: Run) -> None:
    @group.command()
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
        from newsletter.agreements import commanded

        given = {"name": name, "sender": sender, "language": language, "description": description}
        made = within(run, lambda installation, session: commanded.make(session, installation, slug, given))
        click.echo(json.dumps(made) if as_json else f"Readers sign up at {made['url']}")


def _add_agreements(group: click.Group, run: Run) -> None:
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
        from newsletter.agreements import commanded

        talks = not as_json and sys.stderr.isatty()
        found, restored = run(lambda installation: commanded.verify(installation, slug, talks=talks))
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
        from newsletter.agreements import commanded

        within(run, lambda installation, session: commanded.note_restore(session, installation))
        click.echo("Noted in every chain.")
