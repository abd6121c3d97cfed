"""What came back, in the console: of all mail, with what wants an editor; of one mailing, with its single reports."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from litestar import Response
from litestar.params import FromPath

from newsletter.bounces import actions
from newsletter.bounces.ways_in import ways_in
from newsletter.database import Session
from newsletter.delivery import actions as delivery
from newsletter.delivery.tables import MailingState
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit import search as audit_search
from newsletter.editors.audit.actions import Act
from newsletter.figures.returned import actions as returned
from newsletter.figures.returned import alarms
from newsletter.figures.returned.actions import CameIn, Kind
from newsletter.figures.returned.chart import NAMES, by_day, label
from newsletter.figures.returned.reports import reports
from newsletter.installation import Installation
from newsletter.issues import actions as issues
from newsletter.issues.tables import Issue
from newsletter.newsletters.tables import Newsletter
from newsletter.subscribers.tables import SignalState
from newsletter.web import WebRequest, installation_of, page, reading


@reading("/returned")
async def everything(request: WebRequest) -> Response[Any]:
    """Show what wants an editor, and what came back in the last days."""
    installation = installation_of(request)
    now = installation.clock.now()
    async with installation.database.read() as session:
        held = await actions.held(session)
        figures = await _figures(session, now)
        names, ways = await audit_search.actors(session), await ways_in(session, installation)
    await audit.showed(request, Act.RETURNED_MAIL_READ, count=sum(each.count for each in held))
    return page(
        request,
        "figures/returned/returned.html",
        private=True,
        held=_deleted_at(installation, held),
        bounce_domain=installation.settings.bounce_domain,
        names=names,
        ways_in=ways,
        **figures,
    )


async def _figures(session: Session, now: datetime) -> dict[str, Any]:
    """Give what the page of all mail shows in numbers."""
    days = await returned.trend(session, now)
    kinds = _met(day.kinds for day in days)
    return {
        "alarms": await alarms.sounded(session, now),
        "kinds": kinds,
        "totals": {kind: sum(day.kinds[kind] for day in days) for kind in kinds},
        "days": [(label(day), day.kinds) for day in days],
        "chart": by_day(days) if kinds else None,
        "verdicts": await returned.verdicts(session, now),
        "domains": await returned.domains(session, now),
        "came_in": _by_way(await returned.came_in(session, now)),
        "remembered": await returned.remembered(session),
    }


def _by_way(came_in: list[CameIn]) -> dict[str, dict[str, int]]:
    """Give for each way how much was taken as what."""
    ways: dict[str, dict[str, int]] = {}
    for each in came_in:
        ways.setdefault(each.way, {})[each.taken] = each.count
    return ways


def _met(counts: Iterable[Mapping[Kind, int]]) -> dict[Kind, str]:
    """Give the kinds that there are any of, with their names."""
    met = [kind for kinds in counts for kind, count in kinds.items() if count]
    return {kind: name for kind, name in NAMES.items() if kind in met}


def _deleted_at(installation: Installation, held: list[actions.Held]) -> dict[str, list[tuple[actions.Held, Any]]]:
    """Give what is held by its state, each with the time at which the first of them are deleted."""
    hold = timedelta(seconds=installation.settings.dead_address_hold)
    return {state: [(each, each.since + hold) for each in held if each.state == state] for state in SignalState}


@reading("/returned/letters")
async def letters(request: WebRequest) -> Response[Any]:
    """Show the single reports of letters, which belong to no mailing."""
    async with installation_of(request).database.read() as session:
        shown = await reports(session, None, request.query_params.get("after", ""))
    await audit.showed(request, Act.RETURNED_MAIL_READ, count=len(shown.items))
    return page(
        request, "figures/returned/letters.html", private=True, reports=shown, path_on="/console/returned/letters"
    )


@reading("/issues/{issue_id:str}/returned")
async def of_issue(request: WebRequest, issue_id: FromPath[str]) -> Response[Any]:
    """Show what came back of a mailing."""
    async with installation_of(request).database.read() as session:
        issue, newsletter = await issues.by_id(session, issue_id)
        mailing = await delivery.of_issue(session, issue_id)
        if mailing is None:
            return _not_mailed(request, newsletter, issue)
        figures = await returned.of_mailing(session, mailing)
        shown = await reports(session, mailing.id, request.query_params.get("after", ""))
    await audit.showed(
        request,
        Act.RETURNED_MAIL_READ,
        subject_id=issue.id,
        newsletter_id=newsletter.id,
        count=len(shown.items),
    )
    return page(
        request,
        "figures/returned/of_issue.html",
        private=True,
        newsletter=newsletter,
        issue=issue,
        figures=figures,
        kinds=_met(each.kinds for each in figures.domains),
        trouble=mailing.trouble if mailing.state == MailingState.PAUSED else None,
        reports=shown,
        path_on=f"/console/issues/{issue.id}/returned",
    )


def _not_mailed(request: WebRequest, newsletter: Newsletter, issue: Issue) -> Response[Any]:
    template = "figures/returned/of_issue.html"
    return page(request, template, private=True, newsletter=newsletter, issue=issue, figures=None, trouble=None)


handlers = [everything, letters, of_issue]
