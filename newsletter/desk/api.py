"""Issues for other programs."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar.params import JSONBody
from msgspec import Meta

from newsletter.delivery import actions
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.keys import Scope, require
from newsletter.issues import actions as issues
from newsletter.issues.limits import LONGEST_BODY, LONGEST_SUBJECT
from newsletter.issues.tables import Issue
from newsletter.newsletters import actions as newsletters
from newsletter.newsletters.tables import Newsletter
from newsletter.web import WebRequest, installation_of
from newsletter.web.api import IssueId, Slug
from newsletter.web.inputs import Input
from newsletter.web.operations import Body, Operation

_ONE_LINE, _STORABLE = r"^[^\x00-\x1f\x7f]*$", r"^[^\x00]*$"
_Subject = Annotated[
    str,
    Meta(min_length=1, max_length=LONGEST_SUBJECT, pattern=_ONE_LINE, description="One line; may hold placeholders."),
]
_Body = Annotated[
    str,
    Meta(min_length=1, max_length=LONGEST_BODY, pattern=_STORABLE, description="Markdown; may hold placeholders."),
]
# In JSON each character may be written as two escapes, twelve octets.
_LARGEST = 12 * (LONGEST_BODY + LONGEST_SUBJECT) + 64 * 1024


class IssueInput(Input):
    """A new issue."""

    subject: _Subject
    body: _Body


class IssueOutput(msgspec.Struct):
    """An issue; `problems` are sentences on what stands in the way of sending it."""

    id: str
    newsletter: str
    number: int
    subject: str
    body: str
    created_at: datetime
    problems: list[str]


@Operation(
    "POST",
    "/newsletters/{slug:str}/issues",
    require(Scope.ISSUES),
    name="createIssue",
    summary="Write an issue",
    tag="issues",
    status=201,
    body=Body(_LARGEST),
)
async def create_issue(request: WebRequest, slug: Slug, data: JSONBody[IssueInput]) -> IssueOutput:
    """Write a new issue. It is refused where it could not be sent as it is, with what to mend."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        newsletter = await newsletters.by_slug(session, slug)
        issues.compiled(installation, newsletter, data.subject, data.body)
        issue = await issues.write(session, installation.clock, newsletter.id, data.subject, data.body)
        await audit.did(request, session, Act.ISSUE_BEGUN, subject_id=issue.id, newsletter_id=newsletter.id)
    return _issue(issue, newsletter, ())


@Operation(
    "GET",
    "/issues/{issue_id:str}",
    require(Scope.ISSUES),
    name="getIssue",
    summary="Read an issue",
    tag="issues",
)
async def get_issue(request: WebRequest, issue_id: IssueId) -> IssueOutput:
    """Give an issue."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        issue, newsletter = await issues.by_id(session, issue_id)
        return _issue(issue, newsletter, await actions.problems(session, installation, issue_id))


def _issue(issue: Issue, newsletter: Newsletter, problems_now: tuple[str, ...]) -> IssueOutput:
    return IssueOutput(
        id=issue.id,
        newsletter=newsletter.slug,
        number=issue.number,
        subject=issue.subject,
        body=issue.body,
        created_at=issue.created_at,
        problems=list(problems_now),
    )


handlers = [create_issue, get_issue]
