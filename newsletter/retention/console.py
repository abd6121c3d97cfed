"""Retention in the console: what is held, why, until when, what was purged when; and a run by hand, or a dry one."""

from collections.abc import Sequence
from typing import Any

from litestar import Response, post

from newsletter.editors.audit import actions as audit
from newsletter.errors import InvalidInput
from newsletter.retention import actions, runs
from newsletter.retention.runs import Ran
from newsletter.retention.wording import lasting
from newsletter.web import WebRequest, installation_of, page, read_form, reading


@reading("/retention")
async def retention(request: WebRequest) -> Response[Any]:
    """Show the rules and how each stands."""
    return await _page(request, None, ran=())


@post("/retention", include_in_schema=False, status_code=200)
async def run(request: WebRequest) -> Response[Any]:
    """Run every rule now, or only say what that would purge."""
    installation = installation_of(request)
    asked = (await read_form(request, ("run",))).get("run", "")
    if asked not in ("dry", "real"):
        raise InvalidInput("Choose whether to run the rules or only to try them.")
    ran = await actions.by_hand(installation, audit.actor_of(request), dry_run=asked == "dry")
    return await _page(request, asked, ran)


async def _page(request: WebRequest, asked: str | None, ran: Sequence[Ran]) -> Response[Any]:
    installation = installation_of(request)
    standing = await actions.standing(installation)
    async with installation.database.read() as session:
        latest = await runs.latest(session)
    return page(
        request,
        "retention/retention.html",
        private=True,
        rules=[{"kept": lasting(each.period), "standing": each} for each in standing],
        failing=[each.rule.name for each in standing if each.failed_at],
        asked=asked,
        ran=ran,
        total=sum(each.purged for each in ran),
        latest=latest,
    )


handlers = [retention, run]
