"""Figures for other programs."""

from dataclasses import asdict

import msgspec

from newsletter.editors.keys import Scope, require
from newsletter.figures import actions
from newsletter.issues import actions as issues
from newsletter.web import WebRequest, installation_of
from newsletter.web.api import IssueId
from newsletter.web.operations import Operation


class OpensOutput(msgspec.Struct):
    """Opens by people, by how many, and by machines apart. Opens are estimates."""

    total: int
    unique: int
    machine: int


class LinkOutput(msgspec.Struct):
    """Clicks on one link."""

    url: str
    total: int
    unique: int


class ClicksOutput(msgspec.Struct):
    """Clicks by people, and by how many; per link where at least 20 people got the issue."""

    total: int
    unique: int
    links: list[LinkOutput]


class FiguresOutput(msgspec.Struct):
    """An issue's figures; `small_group` says that fewer than 20 people got it, so that there are totals only."""

    sent: int
    delivered: int
    refused: int
    opens: OpensOutput
    clicks: ClicksOutput
    small_group: bool


@Operation(
    "GET",
    "/issues/{issue_id:str}/figures",
    require(Scope.FIGURES),
    name="getFigures",
    summary="Read an issue's figures",
    tag="figures",
)
async def get_figures(request: WebRequest, issue_id: IssueId) -> FiguresOutput:
    """Give what was sent and what was read."""
    async with installation_of(request).database.read() as session:
        issue, _ = await issues.by_id(session, issue_id)
        return msgspec.convert(asdict(await actions.figures_of(session, issue.id)), FiguresOutput)


handlers = [get_figures]
