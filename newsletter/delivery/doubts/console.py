"""Those in doubt in the console: who they are, and the two things an editor can do about them."""

import re
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.delivery import actions
from newsletter.delivery.doubts import actions as doubts
from newsletter.delivery.progress import progress
from newsletter.delivery.rules import MOVES
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.errors import InvalidInput, NotFound
from newsletter.issues import actions as issues
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other

_ID = re.compile(r"[a-z2-7]{26}")
_CHOICE = re.compile(rf"choose-({_ID.pattern})")
_DECISIONS = {"resend": (doubts.resend, Act.DOUBTS_RESENT), "let-be": (doubts.let_be, Act.DOUBTS_LET_BE)}


@reading("/issues/{issue_id:str}/mailing/in-doubt")
async def in_doubt(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """List who may or may not have got the issue."""
    after = request.query_params.get("after", "")
    return await _page(request, issue_id, after if _ID.fullmatch(after) else None, {})


async def _page(request: WebRequest, issue_id: str, after: str | None, wrong: dict[str, str]) -> Response[Any]:
    async with installation_of(request).database.read() as session:
        issue, newsletter = await issues.by_id(session, issue_id)
        mailing = await actions.of_issue(session, issue_id)
        if mailing is None:
            raise NotFound("This issue has not been mailed.")
        standing = await progress(session, mailing)
        found = await doubts.undecided(session, mailing, after)
    await audit.showed(
        request, Act.DOUBTS_READ, subject_id=issue.id, newsletter_id=newsletter.id, count=len(found.items)
    )
    return page(
        request,
        "delivery/doubts/doubts.html",
        status=422 if wrong else 200,
        private=True,
        newsletter=newsletter,
        issue=issue,
        people=found.items,
        next=found.next,
        count=standing.in_doubt,
        can_resend=mailing.state in MOVES["resend"],
        errors=wrong,
    )


@post("/issues/{issue_id:str}/mailing/in-doubt", include_in_schema=False, status_code=303)
async def decide(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Send again, or let be: those who were ticked, or all."""
    values = await read_form(request, ("who", "decision", "choose-"))
    chosen = [ticked[1] for name in values if (ticked := _CHOICE.fullmatch(name))]
    everybody = values.get("who") == "all"
    decision = _DECISIONS.get(values.get("decision", ""))
    if decision is None:
        raise InvalidInput("Choose whether to send it again or to let it be.")
    if not chosen and not everybody:
        return await _page(request, issue_id, None, {"people": "First tick those you mean."})
    decide_about, act = decision
    async with installation_of(request).database.write() as session:
        count = await decide_about(session, issue_id, None if everybody else chosen)
        await audit.did(request, session, act, subject_id=issue_id, count=count)
    return see_other(f"/console/issues/{issue_id}/mailing" + ("" if everybody else "/in-doubt"))


handlers = [in_doubt, decide]
