"""Writing an issue in the console: drafts, the preview, and the test mail to oneself.

It stands here and not with the issues, because an issue whose mailing has begun can't be changed any more.
"""

import unicodedata
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.database import Session
from newsletter.delivery import actions
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.errors import Conflict, InvalidInput
from newsletter.issues import actions as issues
from newsletter.issues.limits import LONGEST_BODY, LONGEST_SUBJECT, PLACEHOLDERS, InvalidIssue
from newsletter.issues.preview import preview
from newsletter.issues.tables import Issue
from newsletter.mail.outbox import enqueue
from newsletter.mail.tables import LetterKind
from newsletter.newsletters import actions as newsletters
from newsletter.web import (
    MAIL_FRAME_POLICY,
    PRIVATE_HEADERS,
    WebRequest,
    installation_of,
    page,
    read_form,
    reading,
    see_other,
)

_ONWARD = {"preview": "preview", "ready": "ready"}
_FIELDS = ("subject", "body", "then")


@reading("/newsletters/{slug:str}/issues")
async def issue_list(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Show a newsletter's issues and how their mailings stand."""
    async with installation_of(request).database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        found = await issues.of_newsletter(session, newsletter.id)
        standing = await actions.states(session, found)
    rows = [
        {
            "id": issue.id,
            "number": issue.number,
            "subject": issue.subject,
            "updated_at": issue.updated_at,
            "state": standing[issue.id].state if issue.id in standing else "draft",
            "audience": standing[issue.id].audience if issue.id in standing else None,
            "delivered": standing[issue.id].delivered if issue.id in standing else None,
        }
        for issue in found
    ]
    return page(request, "desk/issues.html", private=True, newsletter=newsletter, issues=rows)


@post("/newsletters/{slug:str}/issues", include_in_schema=False, status_code=303)
async def new_issue(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Begin a new draft."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        newsletter = await newsletters.by_slug(session, slug)
        issue = await issues.write(session, installation.clock, newsletter.id, "", "")
        await audit.did(request, session, Act.ISSUE_BEGUN, subject_id=issue.id, newsletter_id=newsletter.id)
    return see_other(f"/console/issues/{issue.id}")


@reading("/issues/{issue_id:str}")
async def edit(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Show an issue for writing; read-only once its mailing has begun."""
    return await _edit_page(request, issue_id, None, ())


@post("/issues/{issue_id:str}", include_in_schema=False, status_code=303)
async def save(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Save a draft, and go on to the preview or the sending where that is asked for."""
    values = await read_form(request, _FIELDS)
    try:
        await _save(request, issue_id, values)
    except InvalidInput as error:
        return await _edit_page(request, issue_id, values, [error.sentence])
    onward = _ONWARD.get(values.get("then", ""))
    return see_other(f"/console/issues/{issue_id}/{onward}" if onward else f"/console/issues/{issue_id}?saved=1")


@post("/issues/{issue_id:str}/test", include_in_schema=False, status_code=303)
async def send_test(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Save a draft and mail it to the editor alone, unmeasured."""
    installation = installation_of(request)
    values = await read_form(request, _FIELDS)
    try:
        if "subject" in values:
            await _save(request, issue_id, values)
        async with installation.database.write() as session:
            issue, newsletter = await issues.by_id(session, issue_id)
            issues.compiled(installation, newsletter, issue.subject, issue.body)
            enqueue(session, installation.clock, LetterKind.TEST, issue_id=issue_id, editor_id=request.user.id)
            await audit.did(request, session, Act.ISSUE_TESTED, subject_id=issue_id, newsletter_id=newsletter.id)
    except InvalidInput as error:
        problems = error.problems if isinstance(error, InvalidIssue) else (error.sentence,)
        return await _edit_page(request, issue_id, values, problems)
    return see_other(f"/console/issues/{issue_id}?tested=1")


async def _save(request: WebRequest, issue_id: str, values: dict[str, str]) -> None:
    subject, body = values.get("subject", "").strip(), values.get("body", "").replace("\r\n", "\n")
    if any(unicodedata.category(character) == "Cc" for character in subject):
        raise InvalidInput("The subject must be one line, without characters that can't be printed.")
    if len(subject) > LONGEST_SUBJECT:
        raise InvalidInput(f"The subject may be at most {LONGEST_SUBJECT} characters long.")
    if len(body) > LONGEST_BODY:
        raise InvalidInput(f"The text may be at most {LONGEST_BODY} characters long.")
    installation = installation_of(request)
    async with installation.database.write() as session:
        issue, _ = await issues.by_id(session, issue_id, lock=True)
        if actions.is_fixed(await actions.of_issue(session, issue_id)):
            raise Conflict("This issue has been mailed, so it can't be changed any more.")
        await issues.rewrite(session, installation.clock, issue, subject, body)
        await audit.did(request, session, Act.ISSUE_CHANGED, subject_id=issue_id, newsletter_id=issue.newsletter_id)


async def _state(session: Session, issue: Issue) -> str:
    mailing = await actions.of_issue(session, issue.id)
    return mailing.state if mailing is not None and actions.is_fixed(mailing) else "draft"


async def _edit_page(
    request: WebRequest, issue_id: str, values: dict[str, str] | None, errors: "list[str] | tuple[str, ...]"
) -> Response[Any]:
    installation = installation_of(request)
    async with installation.database.read() as session:
        issue, newsletter = await issues.by_id(session, issue_id)
        state = await _state(session, issue)
        problems = await actions.problems(session, installation, issue_id) if issue.body or issue.subject else ()
    return page(
        request,
        "desk/edit.html",
        status=422 if errors else 200,
        private=True,
        newsletter=newsletter,
        issue={"id": issue.id, "subject": issue.subject, "body": issue.body, "state": state},
        values={
            "subject": (values or {}).get("subject", issue.subject),
            "body": (values or {}).get("body", issue.body),
        },
        errors=list(errors),
        problems=list(problems) if state == "draft" and not errors else [],
        placeholders=[f"{{{{ {name} }}}}" for name in PLACEHOLDERS],
        saved="saved" in request.query_params,
        tested="tested" in request.query_params,
    )


@reading("/issues/{issue_id:str}/preview")
async def preview_page(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Show an issue as an invented reader will get it: HTML on a desktop and on a phone, and text."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        issue, newsletter = await issues.by_id(session, issue_id)
        state = await _state(session, issue)
    problems: tuple[str, ...] = ()
    text = ""
    try:
        rendered = preview(installation, newsletter, issue)
        text = f"{rendered.subject}\n\n{rendered.text}"
    except InvalidIssue as error:
        problems = error.problems
    shown = {"id": issue.id, "subject": issue.subject, "state": state}
    return page(
        request,
        "desk/preview.html",
        private=True,
        newsletter=newsletter,
        issue=shown,
        problems=list(problems),
        text=text,
    )


@reading("/issues/{issue_id:str}/preview.html")
async def preview_frame(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Give the preview's HTML part for its frame, where nothing of it can act."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        issue, newsletter = await issues.by_id(session, issue_id)
    content = preview(installation, newsletter, issue).html
    headers = {"content-security-policy": MAIL_FRAME_POLICY} | PRIVATE_HEADERS
    return Response(content, media_type="text/html", headers=headers)


handlers = [issue_list, new_issue, edit, save, send_test, preview_page, preview_frame]
