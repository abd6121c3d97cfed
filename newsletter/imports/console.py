"""Imports in the console: a file comes in, its columns are named, it is looked through, and then its people are taken
in. Exports beside it.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from litestar.response import Stream

from newsletter.agreements import notices
from newsletter.database import Session
from newsletter.editors import audit
from newsletter.editors.audit import Act
from newsletter.errors import InvalidInput
from newsletter.imports import actions, columns, exporting, staging, upload
from newsletter.imports.evidence import BASES, LONGEST_SOURCE, read_evidence
from newsletter.imports.reasons import sentence
from newsletter.imports.records import records
from newsletter.imports.report import report
from newsletter.imports.rules import WORKING
from newsletter.imports.shape import Shape, read_again
from newsletter.imports.tables import Import, ImportState, Mode
from newsletter.installation import Installation
from newsletter.newsletters import actions as newsletters
from newsletter.newsletters.tables import Newsletter
from newsletter.signup.offers import Offer
from newsletter.subscribers.actions import count_active
from newsletter.web import PRIVATE_HEADERS, WebRequest, installation_of, page, read_form, reading, see_other

_PREVIEW = 5
_LONGEST_CELL = 60
_REFUSALS = 20


@reading("/newsletters/{slug:str}/import")
async def imports(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Show where a file is chosen, what was imported before, and the export."""
    return await _imports_page(request, slug, {}, "")


async def _imports_page(request: WebRequest, slug: str, wrong: Mapping[str, str], preset: str) -> Response[Any]:
    async with installation_of(request).database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        jobs = await actions.latest(session, newsletter.id)
        active = await count_active(session, newsletter.id)
    return page(
        request,
        "imports/imports.html",
        status=422 if wrong else 200,
        private=True,
        newsletter=newsletter,
        jobs=jobs,
        active=active,
        presets=list(columns.Preset),
        preset=preset,
        errors=wrong,
        largest=upload.LARGEST // 1024 // 1024,
    )


@post(
    "/newsletters/{slug:str}/import",
    include_in_schema=False,
    status_code=303,
    request_max_body_size=upload.LARGEST,
    opt=upload.BY_HAND,
)
async def bring(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Take in a file."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
    preset = ""
    try:
        taken = await upload.take(request)
        assert taken.staged is not None
        preset = taken.fields.get("preset", "")
        import_id = await _begin(installation, newsletter, audit.actor_of(request), taken, preset)
    except InvalidInput as error:
        return await _imports_page(request, slug, error.fields, preset)
    return see_other(f"/console/imports/{import_id}")


async def _begin(
    installation: Installation, newsletter: Newsletter, actor: str, taken: upload.Upload, preset: str
) -> str:
    staged = taken.staged
    assert staged is not None
    try:
        guessed = columns.guess(staged.shape.header, preset)
        async with installation.database.write() as session:
            job = await actions.begin(session, installation, newsletter, actor, staged, taken.file_name)
            job.columns, job.evidence_hash = columns.as_text(guessed), taken.evidence_hash
            return job.id
    except BaseException:
        staging.discard(installation, staged.import_id)
        raise


@reading("/imports/{import_id:str}")
async def show(request: WebRequest, import_id: FromPath[str]) -> Response[Any]:
    """Show how an import stands, and, before it has begun, what is to be said of its people."""
    return await _import_page(request, import_id, {}, {})


@reading("/imports/{import_id:str}/progress")
async def progress(request: WebRequest, import_id: FromPath[str]) -> Response[Any]:
    """Give the moving part of that page."""
    async with installation_of(request).database.read() as session:
        job = await actions.by_id(session, import_id)
        return page(request, "imports/_progress.html", private=True, **await _standing(session, job))


async def _import_page(
    request: WebRequest, import_id: str, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        job = await actions.by_id(session, import_id)
        newsletter = await newsletters.by_id(session, job.newsletter_id)
        shown = await _standing(session, job)
        offer = await actions.offer_of(session, installation, job)
        wordings = await notices.in_force(session, newsletter.id, installation.clock.now())
    if job.state in (ImportState.UPLOADED, ImportState.CHECKED):
        if not staging.is_here(installation, job.id):
            shown["elsewhere"] = True
        else:
            shown |= await _described(request, job, offer, typed)
            await audit.showed(
                request, Act.SUBSCRIBERS_LISTED, newsletter_id=newsletter.id, count=len(shown["preview"])
            )
    return page(
        request,
        "imports/import.html",
        status=422 if wrong else 200,
        private=True,
        newsletter=newsletter,
        current_notices=wordings,
        errors=wrong,
        **shown,
    )


async def _standing(session: Session, job: Import) -> dict[str, Any]:
    counted = await actions.reasons(session, job.id) if job.refused else {}
    listed = await actions.refusals(session, job.id, limit=_REFUSALS) if job.refused else []
    return {
        "job": job,
        "working": job.state in WORKING,
        "percent": round(100 * job.done_to / max(job.size, 1)),
        "reasons": [(sentence(reason), count) for reason, count in counted.items()],
        "refusals": [(row, sentence(reason)) for row, reason in listed],
    }


async def _described(request: WebRequest, job: Import, offer: Offer, typed: Mapping[str, str]) -> dict[str, Any]:
    installation = installation_of(request)
    shape, preview = _preview(installation, job)
    meaning = {position: field for field, position in columns.from_text(job.columns).items()}
    values = {
        "mode": job.mode,
        "basis": next((word for word, pair in BASES.items() if pair == (job.gdpr_basis, job.marketing_basis)), ""),
        "source": job.source,
        "notice": job.notice or "current",
        "opt_out_shown": "on" if job.opt_out_shown else "",
    }
    return {
        "header": [
            (position, name, typed.get(f"column-{position}", meaning.get(position, "")))
            for position, name in enumerate(shape.header)
        ],
        "preview": preview,
        "fields": columns.FIELDS,
        "bases": list(BASES),
        "modes": list(Mode),
        "offer": offer,
        "longest_source": LONGEST_SOURCE,
        "values": values | {name: typed[name] for name in (*values,) if name in typed},
    }


def _preview(installation: Installation, job: Import) -> tuple[Shape, list[list[str]]]:
    with staging.place(installation, job.id).open("rb") as file:
        shape = read_again(file, job.encoding, job.delimiter)
        first = islice((record.cells for record in records(file, shape) if record.cells), _PREVIEW)
        return shape, [[cell[:_LONGEST_CELL] for cell in cells] for cells in first]


@post("/imports/{import_id:str}/check", include_in_schema=False, status_code=303)
async def check(request: WebRequest, import_id: FromPath[str]) -> Response[Any]:
    """Take what is said of the people and the columns, and let the file be looked through."""
    installation = installation_of(request)
    typed = await read_form(request)
    try:
        async with installation.database.write() as session:
            job = await actions.by_id(session, import_id, lock=True)
            evidence = read_evidence({"evidence": job.evidence_hash, **typed})
            await actions.describe(session, installation, job, evidence, _chosen(typed))
            await actions.check(session, installation, job)
    except InvalidInput as error:
        return await _import_page(
            request, import_id, typed | {"opt_out_shown": typed.get("opt_out_shown", "")}, error.fields
        )
    return see_other(f"/console/imports/{import_id}")


def _chosen(typed: Mapping[str, str]) -> columns.Columns:
    """Give the columns as chosen. Raises InvalidInput where two are to be the same."""
    meaning: dict[str, int] = {}
    for name, field in typed.items():
        position = name.removeprefix("column-")
        if name == position or not position.isdecimal() or field not in columns.FIELDS:
            continue
        if field in meaning:
            twice = f"Two columns can't both be “{columns.FIELDS[field]}”."
            raise InvalidInput(twice, {"map": twice})
        meaning[field] = int(position)
    return meaning


@post("/imports/{import_id:str}/start", include_in_schema=False, status_code=303)
async def start(request: WebRequest, import_id: FromPath[str]) -> Response[Any]:
    """Take the people in."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        await actions.start(session, installation, await actions.by_id(session, import_id, lock=True))
    return see_other(f"/console/imports/{import_id}")


@post("/imports/{import_id:str}/cancel", include_in_schema=False, status_code=303)
async def cancel(request: WebRequest, import_id: FromPath[str]) -> Response[Any]:
    """Stop it for good."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        actions.cancel(installation, await actions.by_id(session, import_id, lock=True))
    return see_other(f"/console/imports/{import_id}")


@reading("/imports/{import_id:str}/report.csv")
async def download_report(request: WebRequest, import_id: FromPath[str]) -> Response[Any]:
    """Give the refused rows by number, with the reasons."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        job = await actions.by_id(session, import_id)
    return _download(report(installation, job.id), exporting.Format.CSV, "refused-rows.csv")


@post("/newsletters/{slug:str}/export", include_in_schema=False, status_code=200)
async def export(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Give the newsletter's subscribers as a file."""
    installation = installation_of(request)
    form = exporting.read_format((await read_form(request)).get("format", "csv"))
    async with installation.database.write() as session:
        newsletter = await newsletters.by_slug(session, slug)
        count = await count_active(session, newsletter.id)
        actor, act = audit.actor_of(request), Act.SUBSCRIBERS_EXPORTED
        await audit.note(session, installation, actor, act, newsletter_id=newsletter.id, count=count)
    return _download(exporting.export(installation, newsletter.id, form), form, f"{slug}.{form}", marked=True)


def _download(pieces: Any, form: exporting.Format, name: str, *, marked: bool = False) -> Response[Any]:
    async def content() -> Any:
        if marked and form is exporting.Format.CSV:
            yield exporting.MARK
        async for piece in pieces:
            yield piece

    headers = PRIVATE_HEADERS | {"content-disposition": f'attachment; filename="{name}"'}
    return Stream(content(), media_type=form.media_type, headers=headers)


handlers = [imports, bring, show, progress, check, start, cancel, download_report, export]
