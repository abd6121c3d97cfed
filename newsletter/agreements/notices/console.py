"""Notices in the console: every version, the draft of the next, and what is different between any two (RULES A6)."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.agreements.notices import drafts
from newsletter.agreements.notices.actions import Wording, as_html
from newsletter.agreements.notices.diff import compare
from newsletter.agreements.notices.versions import Standing, Version, find_version, versions
from newsletter.errors import InvalidInput
from newsletter.language import LANGUAGES
from newsletter.newsletters import actions as newsletters
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other


def shown(version: Version) -> dict[str, object]:
    """Give a version as its pages show it."""
    return {
        "use": version.use.id,
        "hash": version.notice.hash,
        "language": version.use.language,
        "label": version.notice.label,
        "html": as_html(version.notice.text),
        "valid_from": version.use.valid_from,
        "standing": version.standing,
        "material": version.use.material,
        "agreements": version.agreements,
    }


@reading("/newsletters/{slug:str}/notices")
async def notices_page(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Show every version of every language, and what is being written."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        found = await versions(session, newsletter.id, installation.clock.now())
        drafted = [code for code in LANGUAGES if await drafts.draft_of(session, newsletter.id, code)]
    return page(
        request,
        "agreements/notices/notices.html",
        private=True,
        newsletter=newsletter,
        languages=[
            {
                "code": code,
                "drafted": code in drafted,
                "versions": [shown(version) for version in found if version.use.language == code],
            }
            for code in LANGUAGES
        ],
        said=request.query_params.get("said", ""),
    )


@reading("/newsletters/{slug:str}/notices/compare")
async def compare_page(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Show what is different between two versions, word by word."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        found = await versions(session, newsletter.id, installation.clock.now())
    old = find_version(found, request.query_params.get("from", ""))
    new = find_version(found, request.query_params.get("to", ""))
    changes = compare((old.notice.label, old.notice.text), (new.notice.label, new.notice.text))
    return page(
        request,
        "agreements/notices/compare.html",
        private=True,
        newsletter=newsletter,
        old=shown(old),
        new=shown(new),
        changes=[each.as_html("added", "taken out") for each in changes],
        changed=any(each.changed for each in changes),
    )


@reading("/newsletters/{slug:str}/notices/{language:str}")
async def draft_page(request: WebRequest, slug: FromPath[str], language: FromPath[str]) -> Response[Any]:
    """Show the draft of the next notice; it begins with the one in force."""
    return await _draft_page(request, slug, language, {}, {})


async def _draft_page(
    request: WebRequest, slug: str, language: str, given: Mapping[str, str], wrong: Mapping[str, str]
) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        wording = await drafts.begin_with(session, installation, newsletter.id, language)
        kept = await drafts.draft_of(session, newsletter.id, language)
        found = await versions(session, newsletter.id, installation.clock.now())
    current = next((each for each in found if _is_current(each, language)), None)
    values = {"label": given.get("label", wording.label), "text": given.get("text", wording.text)}
    seen = Wording(language, values["label"], values["text"])
    before = (current.notice.label, current.notice.text) if current else ("", "")
    return page(
        request,
        "agreements/notices/draft.html",
        status=422 if wrong else 200,
        private=True,
        newsletter=newsletter,
        notice_language=language,
        values=values,
        errors=wrong,
        kept=kept is not None,
        saved="saved" in request.query_params,
        preview={"label": seen.label, "html": as_html(seen.text)},
        changes=[each.as_html("added", "taken out") for each in compare(before, (seen.label, seen.text))],
        differs=current is None or current.notice.hash != seen.hash,
    )


def _is_current(version: Version, language: str) -> bool:
    return version.standing is Standing.IN_FORCE and version.use.language == language


@post("/newsletters/{slug:str}/notices/{language:str}", include_in_schema=False, status_code=303)
async def save_draft(request: WebRequest, slug: FromPath[str], language: FromPath[str]) -> Response[Any]:
    """Keep the draft, and go on to where the button leads."""
    installation = installation_of(request)
    values = await read_form(request)
    try:
        async with installation.database.write() as session:
            newsletter = await newsletters.by_slug(session, slug)
            await drafts.save(session, installation, newsletter.id, language, values)
    except InvalidInput as error:
        return await _draft_page(request, slug, language, values, error.fields)
    onward = "/ready" if values.get("then") == "ready" else "?saved=1#preview"
    return see_other(f"/console/newsletters/{slug}/notices/{language}{onward}")


@post("/newsletters/{slug:str}/notices/{language:str}/drop", include_in_schema=False, status_code=303)
async def drop_draft(request: WebRequest, slug: FromPath[str], language: FromPath[str]) -> Response[Any]:
    """Throw the draft away."""
    async with installation_of(request).database.write() as session:
        newsletter = await newsletters.by_slug(session, slug)
        await drafts.drop(session, newsletter.id, language)
    return see_other(f"/console/newsletters/{slug}/notices?said=dropped")


handlers = [notices_page, compare_page, draft_page, save_draft, drop_draft]
