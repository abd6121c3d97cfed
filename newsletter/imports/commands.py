"""The commands `import` and `export`."""

import json
import sys
from typing import IO, Any

import click

from newsletter.commands import JSON, Run
from newsletter.imports.choices import Format, Ground
from newsletter.imports.reading.columns import Preset


def add_to(group: click.Group, run: Run) -> None:
    """Add the commands to the command line; `run` gives them an installation."""

    @group.command("import")
    @click.argument("file", type=click.File("rb"))
    @click.option("--newsletter", "slug", required=True, help="The short name of the newsletter.")
    @click.option("--basis", default="", help=f"On which ground you write to them: {', '.join(Ground)}.")
    @click.option("--marketing", default="", help="The ground in marketing law, where it is another than usual.")
    @click.option("--notice", default="current", show_default=True, help="The hash of the notice they agreed under.")
    @click.option("--source", required=True, help='Where they come from: "orders in the shop, 2024".')
    @click.option("--confirm", "mode", flag_value="confirm", default=True, help="Ask each to confirm (the default).")
    @click.option("--agreed", "mode", flag_value="agreed", help="They have agreed before: subscribe them at once.")
    @click.option("--as-suppressions", "mode", flag_value="suppress", help="They must not be mailed: bring nobody in.")
    @click.option("--opt-out-shown", is_flag=True, help="Existing customers could decline when they bought.")
    @click.option("--evidence", type=click.File("rb"), help="What shows the agreement; only its SHA-256 is kept.")
    @click.option(
        "--preset",
        type=click.Choice([preset.value for preset in Preset]),
        help="The tool whose export the file is.",
    )
    @click.option(
        "--map", "mapping", multiple=True, help="COLUMN=FIELD, or COLUMN=- for none; several times for several."
    )
    @click.option("--dry-run", is_flag=True, help="Look through the file, and change nothing.")
    @click.option(
        "--report", "report_to", type=click.File("wb"), help="Where to write each refused row and the reason."
    )
    @JSON
    def bring(file: IO[bytes], slug: str, mode: str, *, dry_run: bool, as_json: bool, **options: Any) -> None:
        """Take people in from a CSV file with a header row, with the evidence that they agreed.

        Whoever left, objected or is suppressed is never brought back. Each refused row is told by its number.

        Example: newsletter import people.csv --newsletter weekly --agreed --basis consent --source "the old list"
        """
        from newsletter.imports import commanded

        order = commanded.read_order(file, slug, options, mode=mode, dry_run=dry_run, talks=not as_json)
        told = run(lambda installation: commanded.bring(installation, order, options["report_to"]))
        click.echo(json.dumps(told) if as_json else commanded.in_words(told))
        if told["state"] == commanded.FAILED:
            sys.exit(1)

    @group.command("export")
    @click.option("--newsletter", "slug", required=True, help="The short name of the newsletter.")
    @click.option(
        "--format",
        "form",
        type=click.Choice([form.value for form in Format]),
        default="csv",
        show_default=True,
    )
    @click.option("--output", type=click.File("wb"), default="-", help="The file to write; standard output without it.")
    def take_out(slug: str, form: str, output: IO[bytes]) -> None:
        """Write a newsletter's subscribers as CSV, or as JSON with a line for each.

        Example: newsletter export --newsletter weekly --output subscribers.csv
        """
        from newsletter.imports import commanded

        run(lambda installation: commanded.export(installation, slug, Format(form), output))
