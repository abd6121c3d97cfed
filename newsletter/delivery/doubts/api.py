"""Those in doubt for other programs: listing them, and deciding about them, singly or all."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import asdict
from typing import Annotated, Literal

import msgspec
from litestar.params import JSONBody
from msgspec import Meta

from newsletter.database import Session
from newsletter.delivery.api import mailing_of
from newsletter.delivery.doubts import actions as doubts
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.keys import Scope, require
from newsletter.errors import InvalidInput
from newsletter.web import WebRequest, installation_of
from newsletter.web.api import ID, After, IssueId, Items, Page
from newsletter.web.inputs import Input
from newsletter.web.operations import Body, Operation

_MOST = 1000
_Id = Annotated[str, Meta(pattern=ID)]
_Ids = Annotated[list[_Id], Meta(min_length=1, max_length=_MOST, description="The ids of those who are meant.")]
_Deciding = Callable[[Session, str, Collection[str] | None], Awaitable[int]]
_WHO = "Say who is meant: either `ids`, or `all` with true."


class Decision(Input):
    """Who is meant: either `ids`, or `all` with true."""

    ids: _Ids | None = None
    all: Annotated[Literal[True], Meta(description="Everybody who waits for a decision.")] | None = None

    def chosen(self) -> Collection[str] | None:
        """Give the ids, or None for all. Raises InvalidInput where it is neither, or both."""
        if bool(self.ids) == bool(self.all):
            raise InvalidInput(_WHO, {"ids": _WHO})
        return self.ids


class DoubtOutput(msgspec.Struct):
    """Somebody who may or may not have got the issue."""

    id: str
    email: str


class DoubtsOutput(Page):
    """A page of at most 50 who wait for a decision; `next` is None on the last."""

    items: Items[DoubtOutput]


class Decided(msgspec.Struct):
    """For how many this was decided: whoever was decided about before, or has left, is not among them."""

    decided: int


@Operation(
    "GET",
    "/issues/{issue_id:str}/mailing/in-doubt",
    require(Scope.SUBSCRIBERS),
    name="listInDoubt",
    summary="List who is in doubt",
    tag="mailings",
)
async def list_in_doubt(request: WebRequest, issue_id: IssueId, after: After = None) -> DoubtsOutput:
    """Give who may or may not have got the issue, and may still be mailed."""
    async with installation_of(request).database.read() as session:
        found = await doubts.undecided(session, await mailing_of(session, issue_id), after)
    await audit.showed(request, Act.DOUBTS_READ, subject_id=issue_id, count=len(found.items))
    return DoubtsOutput([DoubtOutput(**asdict(doubt)) for doubt in found.items], found.next)


@Operation(
    "POST",
    "/issues/{issue_id:str}/mailing/in-doubt/resend",
    require(Scope.SEND),
    name="resendInDoubt",
    summary="Send again to who is in doubt",
    tag="mailings",
    body=Body(),
    errors=(409,),
)
async def resend(request: WebRequest, issue_id: IssueId, data: JSONBody[Decision]) -> Decided:
    """Let the issue go once more to these; a mailing that was finished goes on. Some of them may get it twice."""
    return await _decide(request, issue_id, data, doubts.resend, Act.DOUBTS_RESENT)


@Operation(
    "POST",
    "/issues/{issue_id:str}/mailing/in-doubt/let-be",
    require(Scope.SEND),
    name="letInDoubtBe",
    summary="Let who is in doubt be",
    tag="mailings",
    body=Body(),
)
async def let_be(request: WebRequest, issue_id: IssueId, data: JSONBody[Decision]) -> Decided:
    """Send nothing more to these. They stay counted as in doubt, and are not listed any more."""
    return await _decide(request, issue_id, data, doubts.let_be, Act.DOUBTS_LET_BE)


async def _decide(request: WebRequest, issue_id: str, data: Decision, decision: _Deciding, act: Act) -> Decided:
    chosen = data.chosen()
    async with installation_of(request).database.write() as session:
        decided = await decision(session, issue_id, chosen)
        await audit.did(request, session, act, subject_id=issue_id, count=decided)
    return Decided(decided)


handlers = [list_in_doubt, resend, let_be]
