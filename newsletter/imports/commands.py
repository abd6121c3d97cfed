"""The commands `import` and `export`.

An import by the command is done by the command itself, and by a worker where the command is interrupted. Where each
person is to be asked, a worker does it from the beginning: it is the one that mails.
"""

import hashlib
import json
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import IO, Any

import click

from newsletter.commands import JSON, Run
from newsletter.editors.audit.actions import CLI
from newsletter.errors import InvalidInput
from newsletter.imports import actions, exporting, report, staging
from newsletter.imports.evidence import BASES, Evidence, read_evidence
from newsletter.imports.reading import columns
from newsletter.imports.reasons import sentence
from newsletter.imports.tables import Import, ImportState, Mode
from newsletter.imports.working.working import Importer
from newsletter.installation import Installation
from newsletter.newsletters import actions as newsletters
from newsletter.tokens import new_id

_CHUNK = 1024 * 1024
_SHOWN = 20
_COUNTS = ("rows", "accepted", "known", "refused", "withheld")
_WORDS = {Mode.AGREED: "subscribed", Mode.CONFIRM: "to be asked", Mode.SUPPRESS: "not to be mailed"}


def add_to(group: click.Group, run: Run) -> None:
    """Add the commands to the command line; `run` gives them an installation."""

    @group.command("import")
    @click.argument("file", type=click.File("rb"))
    @click.option("--newsletter", "slug", required=True, help="The short name of the newsletter.")
    @click.option("--basis", default="", help=f"On which ground you write to them: {', '.join(BASES)}.")
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
        type=click.Choice([preset.value for preset in columns.Preset]),
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
        said = {**options, "mode": mode, "opt_out_shown": "true" if options["opt_out_shown"] else ""}
        evidence = read_evidence({**said, "evidence": _hash(options["evidence"])})
        order = _Order(
            file, slug, evidence, options["preset"] or "", _mapping(options["mapping"]), dry_run, not as_json
        )
        told = run(lambda installation: _bring(installation, order, options["report_to"]))
        click.echo(json.dumps(told) if as_json else _in_words(told))
        if told["state"] == ImportState.FAILED:
            sys.exit(1)

    @group.command("export")
    @click.option("--newsletter", "slug", required=True, help="The short name of the newsletter.")
    @click.option(
        "--format",
        "form",
        type=click.Choice([form.value for form in exporting.Format]),
        default="csv",
        show_default=True,
    )
    @click.option("--output", type=click.File("wb"), default="-", help="The file to write; standard output without it.")
    def take_out(slug: str, form: str, output: IO[bytes]) -> None:
        """Write a newsletter's subscribers as CSV, or as JSON with a line for each.

        Example: newsletter export --newsletter weekly --output subscribers.csv
        """
        run(lambda installation: _export(installation, slug, exporting.Format(form), output))


class _Order:
    """What the command was asked for."""

    def __init__(
        self,
        file: IO[bytes],
        slug: str,
        evidence: Evidence,
        preset: str,
        mapping: Mapping[str, str],
        dry_run: bool,
        talks: bool,
    ) -> None:
        self.file, self.slug, self.evidence = file, slug, evidence
        self.preset, self.mapping, self.dry_run, self.talks = preset, mapping, dry_run, talks


async def _bring(installation: Installation, order: _Order, report_to: IO[bytes] | None) -> dict[str, Any]:
    import_id = await _begin(installation, order)
    asked = order.evidence.mode is Mode.CONFIRM
    job = await _carry_out(installation, import_id, order, dry=order.dry_run or asked)
    told = await _told(installation, job, dry_run=order.dry_run)
    if report_to is not None:
        async for piece in report.report(installation, import_id):
            report_to.write(piece)
    if order.dry_run:
        await _forget(installation, import_id)
    elif asked and job.state == ImportState.CHECKED:
        async with installation.database.write() as session:
            await actions.start(session, installation, await actions.by_id(session, import_id, lock=True))
        told["state"] = ImportState.RUNNING
    return told


async def _begin(installation: Installation, order: _Order) -> str:
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, order.slug)
    staged = await staging.receive(installation, _chunks(order.file))
    try:
        header = staged.shape.header
        meaning = columns.choose(header, order.mapping, columns.guess(header, order.preset))
        async with installation.database.write() as session:
            name = Path(getattr(order.file, "name", "") or "").name
            job = await actions.begin(session, installation, newsletter, CLI, staged, name)
            await actions.describe(session, installation, job, order.evidence, meaning)
    except BaseException:
        staging.discard(installation, staged.import_id)
        raise
    return job.id


async def _carry_out(installation: Installation, import_id: str, order: _Order, *, dry: bool) -> Import:
    holder = f"command-{new_id()}"
    async with installation.database.write() as session:
        job = await actions.by_id(session, import_id, lock=True)
        # Before anybody can see it: a worker is not to take it up beside us.
        await (actions.check if dry else actions.start)(session, installation, job, holder)
    await installation.database.make_room()
    label = "Looking through" if dry else "Importing"
    bar = click.progressbar(
        length=job.size, label=label, file=sys.stderr, hidden=not order.talks or not sys.stderr.isatty()
    )
    with bar:
        await Importer(installation, holder, telling=lambda now: bar.update(now.done_to - bar.pos)).work_on(import_id)
    async with installation.database.read() as session:
        return await actions.by_id(session, import_id)


async def _told(installation: Installation, job: Import, *, dry_run: bool) -> dict[str, Any]:
    async with installation.database.read() as session:
        refused = await actions.refusals(session, job.id, limit=_SHOWN)
    return {
        "id": job.id,
        "state": job.state,
        "mode": job.mode,
        "dry_run": dry_run,
        **{name: getattr(job, name) for name in _COUNTS},
        "refusals": [{"row": row, "reason": sentence(reason)} for row, reason in refused],
        "trouble": job.trouble,
    }


async def _forget(installation: Installation, import_id: str) -> None:
    async with installation.database.write() as session:
        await session.delete(await actions.by_id(session, import_id, lock=True))
    staging.discard(installation, import_id)


def _in_words(told: Mapping[str, Any]) -> str:
    lines = [told["trouble"]] if told["trouble"] else []
    lines.append(f"{told['rows']} rows: {told['accepted']} {_WORDS[told['mode']]}, {told['known']} known already, ")
    lines[-1] += f"{told['refused']} refused, {told['withheld']} withheld because they left or must not be mailed."
    lines += [f"Row {refusal['row']}: {refusal['reason']}" for refusal in told["refusals"]]
    if told["refused"] > len(told["refusals"]):
        lines.append(f"… and {told['refused'] - len(told['refusals'])} more; --report writes them all.")
    if told["dry_run"]:
        lines.append("Nothing was changed.")
    elif told["state"] == ImportState.RUNNING:
        lines.append("The worker asks them now, a thousand at a time at the most.")
    return "\n".join(lines)


def _mapping(given: tuple[str, ...]) -> dict[str, str]:
    mapping = {}
    for one in given:
        column, equals, field = one.rpartition("=")
        if not equals:
            raise InvalidInput(f"--map {one}: write COLUMN=FIELD, such as --map Mail=email.")
        mapping[column] = field
    return mapping


def _hash(file: IO[bytes] | None) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest() if file else ""  # type: ignore[arg-type]  # typeshed asks for more than a binary file has to have


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


async def _export(installation: Installation, slug: str, form: exporting.Format, output: IO[bytes]) -> None:
    async with installation.database.write() as session:
        newsletter = await exporting.begin(session, installation, slug, CLI)
    async for piece in exporting.export(installation, newsletter.id, form):
        output.write(piece)
