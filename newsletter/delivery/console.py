"""Sending an issue from the console: the last look, the progress, and the buttons to pause, resume and cancel."""

from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.delivery import actions
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.errors import NotFound
from newsletter.issues import actions as issues
from newsletter.subscribers.actions import count_mailable
from newsletter.web import WebRequest, installation_of, page, reading, see_other


@reading("/issues/{issue_id:str}/ready")
async def ready(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Show what will be sent to how many, and what stands in the way."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        issue, newsletter = await issues.by_id(session, issue_id)
        if actions.is_fixed(await actions.of_issue(session, issue_id)):
            return see_other(f"/console/issues/{issue_id}/mailing")
        problems = await actions.problems(session, installation, issue_id)
        audience = await count_mailable(session, newsletter.id)
    return page(
        request,
        "delivery/ready.html",
        private=True,
        newsletter=newsletter,
        issue=issue,
        audience=audience,
        problems=list(problems),
        lacking=installation.settings.lacking_of_the_sender(),
        undo_seconds=actions.UNDO_SECONDS,
    )


@post("/issues/{issue_id:str}/mailing", include_in_schema=False, status_code=303)
async def send(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Schedule the mailing; it begins after the seconds in which it can be taken back."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        await actions.schedule(session, installation, issue_id, undo=True)
    return see_other(f"/console/issues/{issue_id}/mailing")


@reading("/issues/{issue_id:str}/mailing")
async def mailing_page(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Show how a mailing goes."""
    return await _mailing_page(request, issue_id, "delivery/mailing.html")


@reading("/issues/{issue_id:str}/mailing/progress")
async def progress_fragment(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Give the moving part of that page."""
    return await _mailing_page(request, issue_id, "delivery/_progress.html")


@post("/issues/{issue_id:str}/mailing/{verb:str}", include_in_schema=False, status_code=303)
async def steer(request: WebRequest, issue_id: FromPath[str], verb: FromPath[str]) -> Response[Any]:
    """Pause, resume or cancel a mailing."""
    if verb not in ("pause", "resume", "cancel"):
        raise NotFound("There is nothing at this address.")
    installation = installation_of(request)
    async with installation.database.write() as session:
        await actions.steer(session, installation.clock, issue_id, verb)
    return see_other(f"/console/issues/{issue_id}/mailing")


async def _mailing_page(request: WebRequest, issue_id: str, template: str) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        issue, newsletter = await issues.by_id(session, issue_id)
        mailing = await actions.of_issue(session, issue_id)
        if mailing is None:
            raise NotFound("This issue has not been mailed.")
        progress = await actions.progress(session, mailing)
        in_doubt = await actions.in_doubt(session, mailing)
        refused = await actions.refusals(session, mailing)
    return page(
        request,
        template,
        private=True,
        newsletter=newsletter,
        issue=issue,
        mailing=actions.as_json(progress) | _pace(request, mailing, progress),
        in_doubt_people=[{"email": email} for email in in_doubt],
        refused=refused,
    )


def _pace(request: WebRequest, mailing: Mailing, progress: actions.Progress) -> dict[str, float | int | None]:
    now = installation_of(request).clock.now()
    pace: dict[str, float | int | None] = {"starts_in": None, "rate": None, "seconds_left": None}
    if mailing.state == MailingState.SCHEDULED:
        pace["starts_in"] = max(0, round((mailing.starts_at - now).total_seconds()))
    done = progress.delivered + progress.refused
    if mailing.state == MailingState.SENDING and mailing.started_at is not None and done:
        rate = done / max((now - mailing.started_at).total_seconds(), 1.0)
        pace["rate"] = rate
        pace["seconds_left"] = round(progress.queued / rate)
    return pace


handlers = [ready, send, mailing_page, progress_fragment, steer]
