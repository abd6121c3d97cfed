"""Putting a notice in force from the console, and the letters that this leads to: their progress, and steering them."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.agreements.notices import actions as notices
from newsletter.agreements.notices import drafts
from newsletter.agreements.notices.actions import as_html
from newsletter.agreements.notices.diff import compare
from newsletter.agreements.tables import Notice
from newsletter.database import Session
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.errors import Conflict, InvalidInput
from newsletter.installation import Installation
from newsletter.newsletters import actions as newsletters
from newsletter.newsletters.tables import Newsletter
from newsletter.renewal.announcing import mailings
from newsletter.renewal.announcing.audience import count_next
from newsletter.renewal.announcing.planning import USUAL_DAYS, Plan, read_plan, tomorrow
from newsletter.renewal.tables import NoticeMailing
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other

_CHOSEN = {"when": "now", "day": "", "telling": "", "days": USUAL_DAYS, "silence": "stays"}


@reading("/newsletters/{slug:str}/notices/{language:str}/ready")
async def ready(request: WebRequest, slug: FromPath[str], language: FromPath[str]) -> Response[Any]:
    """Show the draft once more, and ask from when on it is in force and how readers hear of it."""
    return await _ready_page(request, slug, language, _CHOSEN, {})


async def _ready_page(
    request: WebRequest,
    slug: str,
    language: str,
    chosen: Mapping[str, str],
    wrong: Mapping[str, str],
    status: int = 422,
) -> Response[Any]:
    installation = installation_of(request)
    now = installation.clock.now()
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        draft = await drafts.draft_of(session, newsletter.id, language)
        if draft is None:
            return see_other(f"/console/newsletters/{slug}/notices/{language}")
        current = (await notices.in_force(session, newsletter.id, now)).get(language)
        audience = await count_next(session, newsletter.id, language, now)
    before = (current.label, current.text) if current else ("", "")
    return page(
        request,
        "renewal/announcing/ready.html",
        status=status if wrong else 200,
        private=True,
        newsletter=newsletter,
        notice_language=language,
        values={field: chosen.get(field, usual) for field, usual in _CHOSEN.items()},
        errors=wrong,
        seen=drafts.wording_of(draft).hash,
        audience=audience,
        earliest=tomorrow(now),
        preview={"label": draft.label, "html": as_html(draft.text)},
        changes=[each.as_html("added", "taken out") for each in compare(before, (draft.label, draft.text))],
        first=current is None,
    )


@post("/newsletters/{slug:str}/notices/{language:str}/in-force", include_in_schema=False, status_code=303)
async def put_in_force(request: WebRequest, slug: FromPath[str], language: FromPath[str]) -> Response[Any]:
    """Put the draft in force that the editor has seen, and begin what readers are to hear of it."""
    installation = installation_of(request)
    values = await read_form(request, {*_CHOSEN, "seen"})
    try:
        plan = read_plan(values, installation.clock.now())
        async with installation.database.write() as session:
            newsletter = await newsletters.by_slug(session, slug)
            mailing = await _publish(request, session, newsletter, language, values.get("seen", ""), plan)
    except InvalidInput as error:
        return await _ready_page(request, slug, language, values, error.fields)
    except Conflict as error:
        return await _ready_page(request, slug, language, values, error.fields, error.status)
    if mailing is not None:
        return see_other(f"/console/notice-mailings/{mailing.id}")
    return see_other(f"/console/newsletters/{slug}/notices?said={'planned' if plan.valid_from else 'in-force'}")


async def _publish(
    request: WebRequest, session: Session, newsletter: Newsletter, language: str, seen: str, plan: Plan
) -> NoticeMailing | None:
    installation = installation_of(request)
    valid_from = plan.valid_from or installation.clock.now()
    notice = await drafts.put_draft_in_force(
        session, installation, newsletter.id, language, seen=seen, valid_from=valid_from, material=plan.material
    )
    await audit.did(request, session, Act.NOTICE_PUBLISHED, newsletter_id=newsletter.id)
    if plan.telling is None:
        return None
    mailing = await mailings.start(session, installation, newsletter.id, notice, valid_from, plan.telling)
    await audit.did(request, session, Act.NOTICE_MAILING_STARTED, subject_id=mailing.id, newsletter_id=newsletter.id)
    return mailing


@post("/newsletters/{slug:str}/notices/planned/{use_id:str}/take-back", include_in_schema=False, status_code=303)
async def take_back(request: WebRequest, slug: FromPath[str], use_id: FromPath[str]) -> Response[Any]:
    """Take a planned notice back before it is shown, and stop the letters about it."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        newsletter = await newsletters.by_slug(session, slug)
        use = await drafts.take_back(session, installation, newsletter.id, use_id)
        await mailings.cancel_about(session, installation, newsletter.id, use.notice_hash, use.valid_from)
        await audit.did(request, session, Act.NOTICE_TAKEN_BACK, newsletter_id=newsletter.id)
    return see_other(f"/console/newsletters/{slug}/notices?said=taken-back")


@reading("/newsletters/{slug:str}/notice-mailings")
async def list_page(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Show every mailing about a changed notice."""
    async with installation_of(request).database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        found = await mailings.of_newsletter(session, newsletter.id)
    return page(request, "renewal/announcing/mailings.html", private=True, newsletter=newsletter, mailings=found)


@reading("/notice-mailings/{mailing_id:str}")
async def mailing_page(request: WebRequest, mailing_id: FromPath[str]) -> Response[Any]:
    """Show how a notice mailing goes."""
    return await _mailing_page(request, mailing_id, "renewal/announcing/mailing.html")


@reading("/notice-mailings/{mailing_id:str}/progress")
async def progress_fragment(request: WebRequest, mailing_id: FromPath[str]) -> Response[Any]:
    """Give the moving part of that page."""
    return await _mailing_page(request, mailing_id, "renewal/announcing/_progress.html")


async def _mailing_page(request: WebRequest, mailing_id: str, template: str) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        mailing = await mailings.by_id(session, mailing_id)
        newsletter = await newsletters.by_id(session, mailing.newsletter_id)
        notice = await session.get_one(Notice, mailing.notice_hash)
    return page(
        request,
        template,
        private=True,
        newsletter=newsletter,
        mailing=mailing,
        notice=notice,
        ahead=_ahead(installation, mailing),
    )


def _ahead(installation: Installation, mailing: NoticeMailing) -> dict[str, bool]:
    now = installation.clock.now()
    return {"start": mailing.starts_at > now, "valid": mailing.valid_from > now}


@post("/notice-mailings/{mailing_id:str}/{verb:str}", include_in_schema=False, status_code=303)
async def steer(request: WebRequest, mailing_id: FromPath[str], verb: FromPath[str]) -> Response[Any]:
    """Pause, resume or cancel a notice mailing."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        mailing = await mailings.steer(session, installation, mailing_id, verb)
        act = Act.NOTICE_MAILING_STEERED
        await audit.did(request, session, act, subject_id=mailing.id, newsletter_id=mailing.newsletter_id)
    return see_other(f"/console/notice-mailings/{mailing_id}")


handlers = [ready, put_in_force, take_back, list_page, mailing_page, progress_fragment, steer]
