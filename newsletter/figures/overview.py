"""The newsletters in the console: all at a glance, a new one, and one's settings and notices."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from sqlalchemy import func
from sqlmodel import col, select

from newsletter.agreements.notices import actions as notices
from newsletter.agreements.opening import change_newsletter, open_newsletter
from newsletter.agreements.tables import NoticeUse
from newsletter.database import Session
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.errors import Conflict, InvalidInput
from newsletter.issues.tables import Issue
from newsletter.newsletters import actions
from newsletter.newsletters.tables import Newsletter
from newsletter.signup.actions import count_pending
from newsletter.subscribers.actions import count_active
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other

_FIELDS = ("name", "slug", "sender", "language", "description")
_SETTINGS = ("name", "sender", "description", "measurement", "reminder_months", "renewal_months")


@reading("/newsletters")
async def overview(request: WebRequest) -> Response[Any]:
    """Show all newsletters with their counts."""
    return await _overview_page(request, {"language": "nb"}, {})


@post("/newsletters", include_in_schema=False, status_code=303)
async def make(request: WebRequest) -> Response[Any]:
    """Make a newsletter."""
    installation = installation_of(request)
    values = await read_form(request)
    given = {field: values.get(field, "") for field in _FIELDS if field != "slug"}
    try:
        async with installation.database.write() as session:
            newsletter = await open_newsletter(session, installation, values.get("slug", ""), given)
            await audit.did(request, session, Act.NEWSLETTER_MADE, newsletter_id=newsletter.id)
    except (InvalidInput, Conflict) as error:
        return await _overview_page(request, values, error.fields)
    return see_other(f"/console/newsletters/{newsletter.slug}")


async def _overview_page(request: WebRequest, values: Mapping[str, str], wrong: Mapping[str, str]) -> Response[Any]:
    async with installation_of(request).database.read() as session:
        rows = [await _counted(session, newsletter) for newsletter in await actions.on_offer(session)]
    return page(
        request,
        "figures/newsletters.html",
        status=422 if wrong else 200,
        private=True,
        newsletters=rows,
        errors=wrong,
        values={field: values.get(field, "") for field in _FIELDS},
    )


async def _counted(session: Session, newsletter: Newsletter) -> dict[str, object]:
    issues = await session.exec(select(func.count()).select_from(Issue).where(Issue.newsletter_id == newsletter.id))
    return {
        "slug": newsletter.slug,
        "name": newsletter.name,
        "active": await count_active(session, newsletter.id),
        "pending": await count_pending(session, newsletter.id),
        "issues": issues.one(),
    }


@reading("/newsletters/{slug:str}")
async def show(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Show a newsletter's settings and the notices in force."""
    return await _settings_page(request, slug, {}, {}, saved="saved" in request.query_params)


@post("/newsletters/{slug:str}", include_in_schema=False, status_code=303)
async def change(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Change a newsletter's settings."""
    installation = installation_of(request)
    values = await read_form(request)
    given = {field: values[field] for field in _SETTINGS if field in values}
    try:
        async with installation.database.write() as session:
            newsletter = await actions.by_slug(session, slug)
            await change_newsletter(session, installation, newsletter, given)
            await audit.did(request, session, Act.NEWSLETTER_CHANGED, newsletter_id=newsletter.id)
    except InvalidInput as error:
        return await _settings_page(request, slug, given, error.fields)
    return see_other(f"/console/newsletters/{slug}?saved=1")


async def _settings_page(
    request: WebRequest, slug: str, given: Mapping[str, str], wrong: Mapping[str, str], *, saved: bool = False
) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        newsletter = await actions.by_slug(session, slug)
        in_force = await notices.in_force(session, newsletter.id, installation.clock.now())
        uses = select(NoticeUse).where(NoticeUse.newsletter_id == newsletter.id).order_by(col(NoticeUse.valid_from))
        since = {use.notice_hash: use.valid_from for use in (await session.exec(uses)).all()}
    shown = {
        "slug": newsletter.slug,
        "name": newsletter.name,
        "sender": _sender(newsletter),
        "language": newsletter.language,
        "description": newsletter.description,
        "measurement": newsletter.measurement,
        "reminder_months": str(newsletter.reminder_months),
        "renewal_months": str(newsletter.renewal_months),
    }
    return page(
        request,
        "figures/newsletter.html",
        status=422 if wrong else 200,
        private=True,
        newsletter=shown,
        values={field: given.get(field, shown[field]) for field in _SETTINGS},
        errors=wrong,
        saved=saved,
        notices=[
            {
                "language": language,
                "label": notice.label,
                "html": notices.as_html(notice.text),
                "hash": notice.hash,
                "valid_from": since[notice.hash],
            }
            for language, notice in in_force.items()
        ],
    )


def _sender(newsletter: Newsletter) -> str:
    return (
        f"{newsletter.sender_name} <{newsletter.sender_address}>"
        if newsletter.sender_name
        else newsletter.sender_address
    )


handlers = [overview, make, show, change]
