"""Sending an issue from the console: the last look, now or later, the progress, and the buttons to steer it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.delivery import actions
from newsletter.delivery.doubts import actions as doubts
from newsletter.delivery.progress import pace, progress
from newsletter.delivery.tables import Mailing, MailingState
from newsletter.desk.planning import as_read, as_typed, read_start
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.errors import InvalidInput, NotFound
from newsletter.issues import actions as issues
from newsletter.issues.limits import InvalidIssue
from newsletter.language import DEFAULT
from newsletter.subscribers.actions import count_mailable
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other

_MOMENT = 90
_STEERING = {"pause": Act.MAILING_PAUSED, "resume": Act.MAILING_RESUMED, "cancel": Act.MAILING_CANCELLED}
_STATES_WITH_REFUSALS = (MailingState.FINISHED, MailingState.CANCELLED, MailingState.PAUSED)


@reading("/issues/{issue_id:str}/ready")
async def ready(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Show what will be sent to how many, and what stands in the way."""
    return await _ready_page(request, issue_id, "", {})


async def _ready_page(request: WebRequest, issue_id: str, starts_at: str, wrong: Mapping[str, str]) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        issue, newsletter = await issues.by_id(session, issue_id)
        if actions.is_fixed(await actions.of_issue(session, issue_id)):
            return see_other(f"/console/issues/{issue_id}/mailing")
        problems = await actions.problems(session, installation, issue_id)
        audience = await count_mailable(session, newsletter.id)
    return page(
        request,
        "desk/ready.html",
        status=422 if wrong else 200,
        private=True,
        newsletter=newsletter,
        issue=issue,
        audience=audience,
        problems=list(problems),
        lacking=installation.settings.lacking_of_the_sender(),
        undo_seconds=actions.UNDO_SECONDS,
        values={"starts_at": starts_at},
        errors=wrong,
        earliest=as_typed(installation.clock.now()),
    )


@post("/issues/{issue_id:str}/mailing", include_in_schema=False, status_code=303)
async def send(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Schedule the mailing: for the time that is given, or after the seconds in which it can be taken back."""
    installation = installation_of(request)
    typed = (await read_form(request, ("starts_at",))).get("starts_at", "")
    try:
        starts_at = read_start(typed)
        async with installation.database.write() as session:
            mailing = await actions.schedule(session, installation, issue_id, undo=True, starts_at=starts_at)
            newsletter_id = mailing.newsletter_id
            await audit.did(request, session, Act.MAILING_SCHEDULED, subject_id=issue_id, newsletter_id=newsletter_id)
    except InvalidIssue:
        raise
    except InvalidInput as error:
        return await _ready_page(request, issue_id, typed, error.fields)
    return see_other(f"/console/issues/{issue_id}/mailing")


@reading("/issues/{issue_id:str}/mailing")
async def mailing_page(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Show how a mailing goes."""
    return await _mailing_page(request, issue_id, "desk/mailing.html")


@reading("/issues/{issue_id:str}/mailing/progress")
async def progress_fragment(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Give the moving part of that page."""
    return await _mailing_page(request, issue_id, "desk/_progress.html")


@post("/issues/{issue_id:str}/mailing/{verb:str}", include_in_schema=False, status_code=303)
async def steer(request: WebRequest, issue_id: FromPath[str], verb: FromPath[str]) -> Response[Any]:
    """Pause, resume or cancel a mailing."""
    if verb not in _STEERING:
        raise NotFound("There is nothing at this address.")
    installation = installation_of(request)
    async with installation.database.write() as session:
        await actions.steer(session, installation.clock, issue_id, verb)
        await audit.did(request, session, _STEERING[verb], subject_id=issue_id)
    return see_other(f"/console/issues/{issue_id}/mailing")


async def _mailing_page(request: WebRequest, issue_id: str, template: str) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        issue, newsletter = await issues.by_id(session, issue_id)
        mailing = await actions.of_issue(session, issue_id)
        if mailing is None:
            raise NotFound("This issue has not been mailed.")
        standing = await progress(session, mailing)
        going = await pace(session, mailing, standing)
        undecided = (await doubts.undecided(session, mailing)).items if standing.in_doubt else ()
        told = standing.refused and mailing.state in _STATES_WITH_REFUSALS
        refused = await actions.refusals(session, mailing) if told else ()
    return page(
        request,
        template,
        private=True,
        newsletter=newsletter,
        issue=issue,
        mailing=asdict(standing) | asdict(going) | _planned(request, mailing) | {"trouble": mailing.trouble},
        undecided=bool(undecided),
        refused=refused,
        came_back=request.scope["state"].get("came_back", 0),
    )


def _planned(request: WebRequest, mailing: Mailing) -> dict[str, str | int | None]:
    """Give when a mailing begins: in seconds where that is soon, else by the clock."""
    if not actions.is_ahead(mailing):
        return {"starts_in": None, "starts_at": None}
    seconds = (mailing.starts_at - installation_of(request).clock.now()).total_seconds()
    soon = seconds <= _MOMENT
    return {
        "starts_in": max(0, round(seconds)) if soon and mailing.state == MailingState.SCHEDULED else None,
        "starts_at": None if soon else as_read(mailing.starts_at, DEFAULT),
    }


handlers = [ready, send, mailing_page, progress_fragment, steer]
