"""Imports in the console: a file comes in, its columns are named, it is looked through, and then its people are taken
in.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.agreements.notices import actions as notices
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.signing_in.forms import BY_HAND
from newsletter.errors import InvalidInput
from newsletter.imports import actions, staging
from newsletter.imports.desk import downloads, upload
from newsletter.imports.desk.shown import described, standing
from newsletter.imports.evidence import read_evidence
from newsletter.imports.reading import columns
from newsletter.imports.tables import ImportState
from newsletter.installation import Installation
from newsletter.newsletters import actions as newsletters
from newsletter.newsletters.tables import Newsletter
from newsletter.subscribers.actions import count_active
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other

_SAID = ("mode", "basis", "marketing", "source", "notice", "evidence", "opt_out_shown", "column-")


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
        "imports/desk/imports.html",
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
    opt=BY_HAND,
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
        return page(request, "imports/desk/_progress.html", private=True, **await standing(session, job))


async def _import_page(
    request: WebRequest, import_id: str, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        job = await actions.by_id(session, import_id)
        newsletter = await newsletters.by_id(session, job.newsletter_id)
        shown = await standing(session, job)
        offer = await actions.offer_of(session, installation, job)
        wordings = await notices.in_force(session, newsletter.id, installation.clock.now())
    if job.state in (ImportState.UPLOADED, ImportState.CHECKED):
        if not staging.is_here(installation, job.id):
            shown["elsewhere"] = True
        else:
            shown |= described(installation, job, offer, typed)
            await audit.showed(
                request, Act.SUBSCRIBERS_LISTED, newsletter_id=newsletter.id, count=len(shown["preview"])
            )
    return page(
        request,
        "imports/desk/import.html",
        status=422 if wrong else 200,
        private=True,
        newsletter=newsletter,
        current_notices=wordings,
        errors=wrong,
        **shown,
    )


@post("/imports/{import_id:str}/check", include_in_schema=False, status_code=303)
async def check(request: WebRequest, import_id: FromPath[str]) -> Response[Any]:
    """Take what is said of the people and the columns, and let the file be looked through."""
    installation = installation_of(request)
    typed = await read_form(request, _SAID)
    try:
        async with installation.database.write() as session:
            job = await actions.by_id(session, import_id, lock=True)
            evidence = read_evidence({"evidence": job.evidence_hash, **typed})
            await actions.describe(session, installation, job, evidence, columns.by_position(typed))
            await actions.check(session, installation, job)
    except InvalidInput as error:
        return await _import_page(
            request, import_id, typed | {"opt_out_shown": typed.get("opt_out_shown", "")}, error.fields
        )
    return see_other(f"/console/imports/{import_id}")


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


handlers = [imports, bring, show, progress, check, start, cancel, *downloads.handlers]
