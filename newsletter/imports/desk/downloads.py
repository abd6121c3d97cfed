"""The files that the console hands out: a newsletter's subscribers, and the report of an import. None is kept here."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from litestar.response import Stream

from newsletter.editors.audit import actions as audit
from newsletter.imports import actions, exporting
from newsletter.imports.choices import Format
from newsletter.imports.report import report
from newsletter.web import PRIVATE_HEADERS, WebRequest, installation_of, read_form, reading


@reading("/imports/{import_id:str}/report.csv")
async def download_report(request: WebRequest, import_id: FromPath[str]) -> Response[Any]:
    """Give the refused rows by number, with the reasons."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        job = await actions.by_id(session, import_id)
    return _download(report(installation, job.id), Format.CSV, "refused-rows.csv")


@post("/newsletters/{slug:str}/export", include_in_schema=False, status_code=200)
async def export(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Give the newsletter's subscribers as a file."""
    installation = installation_of(request)
    form = exporting.read_format((await read_form(request, ("format",))).get("format", "csv"))
    async with installation.database.write() as session:
        newsletter = await exporting.begin(session, installation, slug, audit.actor_of(request))
    return _download(exporting.export(installation, newsletter.id, form), form, f"{slug}.{form}", marked=True)


def _download(pieces: AsyncIterator[bytes], form: Format, name: str, *, marked: bool = False) -> Response[Any]:
    async def content() -> AsyncIterator[bytes]:
        if marked and form is Format.CSV:
            yield exporting.MARK
        async for piece in pieces:
            yield piece

    headers = PRIVATE_HEADERS | {"content-disposition": f'attachment; filename="{name}"'}
    return Stream(content(), media_type=form.media_type, headers=headers)


handlers = [download_report, export]
