"""An editor's word on the domains that the circuit breaker holds, and on alarms; and how many came back of a mailing.

The pages themselves are `figures/returned/console.py`, for they show pictures.
"""

import re
from typing import Any

from litestar import HttpMethod, Response, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from newsletter.bounces import actions
from newsletter.bounces.alarms import seen as alarms_seen
from newsletter.bounces.reports import history
from newsletter.delivery.actions import of_issue
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.errors import NotFound
from newsletter.web import WebRequest, installation_of, read_form, see_other

_TAG = re.compile(r"[0-9a-f]{64}")


@post("/returned/{domain_id:str}/confirm", include_in_schema=False, status_code=303)
async def confirm(request: WebRequest, domain_id: FromPath[str]) -> Response[Any]:
    """They are dead: a worker deletes them."""
    async with installation_of(request).database.write() as session:
        count = await actions.confirm(session, _checked(domain_id))
        await audit.did(request, session, Act.RETURNED_MAIL_CONFIRMED, count=count)
    return see_other("/console/returned")


@post("/returned/{domain_id:str}/release", include_in_schema=False, status_code=303)
async def release(request: WebRequest, domain_id: FromPath[str]) -> Response[Any]:
    """They live: mail them again."""
    async with installation_of(request).database.write() as session:
        count = await actions.release(session, _checked(domain_id))
        await audit.did(request, session, Act.RETURNED_MAIL_RELEASED, count=count)
    return see_other("/console/returned")


@post("/returned/alarms/seen", include_in_schema=False, status_code=303)
async def see_alarms(request: WebRequest) -> Response[Any]:
    """They have seen the alarms of a code, as far as they were shown: let them be quiet until others come."""
    form, installation = await read_form(request), installation_of(request)
    code, up_to = form.get("code", ""), alarms_seen.read(form.get("up_to", ""))
    async with installation.database.write() as session:
        seen = await alarms_seen.see(session, installation, code, up_to, audit.actor_of(request))
        if seen:
            await audit.did(request, session, Act.ALARM_SEEN, count=seen)
    return see_other("/console/returned")


def _checked(domain_id: str) -> str:
    if not _TAG.fullmatch(domain_id):
        raise NotFound("There is no such domain.")
    return domain_id


async def note_came_back(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let the page of a mailing say how many came back of it, which the delivery itself can't know."""
    issue_id = connection.path_params.get("issue_id")
    if connection.scope.get("method") != HttpMethod.GET or issue_id is None:
        return
    async with installation_of(connection).database.read() as session:
        mailing = await of_issue(session, str(issue_id))
        counts = await history.returned(session, mailing.id) if mailing else {}
    connection.scope["state"]["came_back"] = counts.get(history.BOUNCED, 0)


handlers = [confirm, release, see_alarms]
