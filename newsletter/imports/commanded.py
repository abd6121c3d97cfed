"""What the commands `import` and `export` do.

An import by the command is done by the command itself, and by a worker where the command is interrupted. Where each
person is to be asked, a worker does it from the beginning: it is the one that mails.
"""

import hashlib
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click

from newsletter.editors.audit.actions import CLI
from newsletter.errors import InvalidInput
from newsletter.imports import actions, exporting, report, staging
from newsletter.imports.choices import Format
from newsletter.imports.evidence import Evidence, read_evidence
from newsletter.imports.reading import columns
from newsletter.imports.reasons import sentence
from newsletter.imports.tables import Import, ImportState, Mode
from newsletter.imports.working.working import Importer
from newsletter.installation import Installation
from newsletter.newsletters import actions as newsletters
from newsletter.tokens import new_id

FAILED = ImportState.FAILED
_CHUNK = 1024 * 1024
_SHOWN = 20
_COUNTS = ("rows", "accepted", "known", "refused", "withheld")
_WORDS = {Mode.AGREED: "subscribed", Mode.CONFIRM: "to be asked", Mode.SUPPRESS: "not to be mailed"}


@dataclass(frozen=True, slots=True)
class Order:
    """What the command was asked for."""

    file: IO[bytes]
    slug: str
    evidence: Evidence
    preset: str
    mapping: Mapping[str, str]
    dry_run: bool
    talks: bool


def read_order(
    file: IO[bytes], slug: str, options: Mapping[str, Any], *, mode: str, dry_run: bool, talks: bool
) -> Order:
    """Read what the command was asked for. Raises InvalidInput."""
    said = {**options, "mode": mode, "opt_out_shown": "true" if options["opt_out_shown"] else ""}
    evidence = read_evidence({**said, "evidence": _hash(options["evidence"])})
    return Order(file, slug, evidence, options["preset"] or "", _mapping(options["mapping"]), dry_run, talks)


async def bring(installation: Installation, order: Order, report_to: IO[bytes] | None) -> dict[str, Any]:
    """Do an import, or look through the file; give what came of it. Raises InvalidInput or NotFound."""
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


async def _begin(installation: Installation, order: Order) -> str:
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


async def _carry_out(installation: Installation, import_id: str, order: Order, *, dry: bool) -> Import:
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


def in_words(told: Mapping[str, Any]) -> str:
    """Give the same in words."""
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


async def export(installation: Installation, slug: str, form: Format, output: IO[bytes]) -> None:
    """Write a newsletter's subscribers. Raises NotFound."""
    async with installation.database.write() as session:
        newsletter = await exporting.begin(session, installation, slug, CLI)
    async for piece in exporting.export(installation, newsletter.id, form):
        output.write(piece)
