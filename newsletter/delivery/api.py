"""Mailings for other programs: starting one now or later, steering it, and how it goes."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta

from newsletter.database import Session
from newsletter.delivery import actions
from newsletter.delivery.progress import pace, progress
from newsletter.delivery.tables import Mailing
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.keys import Scope, require
from newsletter.errors import NotFound
from newsletter.web import WebRequest, installation_of
from newsletter.web.api import IssueId
from newsletter.web.inputs import Input
from newsletter.web.operations import Body, Operation

_WHEN = "When to begin: a time to come, with its offset, such as 2026-12-24T09:00:00+01:00. At once without it."


class SendInput(Input):
    """When an issue is to be sent. The body may be left out."""

    starts_at: Annotated[datetime, Meta(tz=True, description=_WHEN)] | None = None


class MailingOutput(msgspec.Struct):
    """How a mailing stands; state is scheduled, sending, paused, finished or cancelled. The counts add up to the
    audience.

    `starts_at` is there until it begins. `rate`, deliveries a minute, and `seconds_left` are there while it is being
    sent and something is known of them; so is `trouble`, a sentence on what keeps us from the relay.
    """

    state: str
    audience: int
    queued: int
    delivered: int
    deferred: int
    refused: int
    in_doubt: int
    withdrawn: int
    starts_at: datetime | None
    rate: float | None
    seconds_left: int | None
    trouble: str | None


class RefusalOutput(msgspec.Struct):
    """How many were refused with the same answer. `reply` holds its everyday words; what else it said is left out."""

    stage: str | None
    code: int | None
    enhanced: str | None
    reply: str | None
    count: int


class RefusalsOutput(msgspec.Struct):
    """The most frequent answers, at most 50."""

    items: Annotated[list[RefusalOutput], Meta(max_length=actions.MOST_REFUSALS)]


@Operation(
    "POST",
    "/issues/{issue_id:str}/mailing",
    require(Scope.SEND),
    name="sendIssue",
    summary="Send an issue",
    tag="mailings",
    status=202,
    body=Body(optional=True),
    errors=(409,),
)
async def send_issue(request: WebRequest, issue_id: IssueId, data: JSONBody[SendInput | None] = None) -> MailingOutput:
    """Let an issue leave at once, or at the time that is given."""
    installation = installation_of(request)
    starts_at = data.starts_at if data else None
    async with installation.database.write() as session:
        mailing = await actions.schedule(session, installation, issue_id, undo=False, starts_at=starts_at)
        newsletter_id = mailing.newsletter_id
        await audit.did(request, session, Act.MAILING_SCHEDULED, subject_id=issue_id, newsletter_id=newsletter_id)
        return await _output(session, mailing)


@Operation(
    "GET",
    "/issues/{issue_id:str}/mailing",
    require(Scope.ISSUES),
    name="getMailing",
    summary="Read how a mailing stands",
    tag="mailings",
)
async def get_mailing(request: WebRequest, issue_id: IssueId) -> MailingOutput:
    """Give how the mailing of an issue stands."""
    async with installation_of(request).database.read() as session:
        return await _output(session, await mailing_of(session, issue_id))


@Operation(
    "GET",
    "/issues/{issue_id:str}/mailing/refusals",
    require(Scope.ISSUES),
    name="getRefusals",
    summary="Read what receivers answered who refused",
    tag="mailings",
)
async def get_refusals(request: WebRequest, issue_id: IssueId) -> RefusalsOutput:
    """Give with which answers how many were refused."""
    async with installation_of(request).database.read() as session:
        found = await actions.refusals(session, await mailing_of(session, issue_id))
    return RefusalsOutput([RefusalOutput(**asdict(refusal)) for refusal in found])


def _steering(verb: str, act: Act) -> HTTPRouteHandler:
    @Operation(
        "POST",
        f"/issues/{{issue_id:str}}/mailing/{verb}",
        require(Scope.SEND),
        name=f"{verb}Mailing",
        summary=f"{verb.capitalize()} a mailing",
        tag="mailings",
        errors=(409,),
    )
    async def steer(request: WebRequest, issue_id: IssueId) -> MailingOutput:
        """Steer the mailing of an issue."""
        installation = installation_of(request)
        async with installation.database.write() as session:
            mailing = await actions.steer(session, installation.clock, issue_id, verb)
            await audit.did(request, session, act, subject_id=issue_id, newsletter_id=mailing.newsletter_id)
            return await _output(session, mailing)

    return steer


async def mailing_of(session: Session, issue_id: str) -> Mailing:
    """Give the mailing of an issue. Raises NotFound where it has none."""
    mailing = await actions.of_issue(session, issue_id)
    if mailing is None:
        raise NotFound("This issue has no mailing.")
    return mailing


async def _output(session: Session, mailing: Mailing) -> MailingOutput:
    standing = await progress(session, mailing)
    return MailingOutput(
        **asdict(standing),
        **asdict(await pace(session, mailing, standing)),
        starts_at=mailing.starts_at if actions.is_ahead(mailing) else None,
        trouble=mailing.trouble,
    )


handlers = [
    send_issue,
    get_mailing,
    get_refusals,
    _steering("pause", Act.MAILING_PAUSED),
    _steering("resume", Act.MAILING_RESUMED),
    _steering("cancel", Act.MAILING_CANCELLED),
]
