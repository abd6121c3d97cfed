"""The figures page of an issue."""

from dataclasses import asdict
from typing import Any

from litestar import Response
from litestar.params import FromPath

from newsletter.delivery import actions as delivery
from newsletter.figures import actions
from newsletter.figures.charts import by_link, over_time
from newsletter.issues import actions as issues
from newsletter.web import WebRequest, installation_of, page, reading


@reading("/issues/{issue_id:str}/figures")
async def figures_page(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Show what was sent and what was read."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        issue, newsletter = await issues.by_id(session, issue_id)
        figures = await actions.figures_of(session, issue_id)
        mailing = await delivery.of_issue(session, issue_id)
        refused = await delivery.refusals(session, mailing) if mailing and figures.refused else ()
        hours = await actions.over_time(session, installation.clock, issue_id, "en")
    shown = not figures.small_group
    return page(
        request,
        "figures/figures.html",
        private=True,
        newsletter=newsletter,
        issue=issue,
        figures=asdict(figures),
        refused=refused,
        charts={
            "over_time": over_time(hours) if shown and hours else None,
            "links": by_link(actions.bars(figures)) if shown and figures.clicks.links else None,
        },
        small_group=figures.small_group,
    )


handlers = [figures_page]
