"""Returned mail in the console: the dead addresses that wait, and those the circuit breaker wants an editor to look
at.
"""

import re
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.bounces import actions
from newsletter.editors import audit
from newsletter.editors.audit import Act
from newsletter.errors import NotFound
from newsletter.web import WebRequest, installation_of, page, reading, see_other

_TAG = re.compile(r"[0-9a-f]{64}")


@reading("/returned")
async def returned(request: WebRequest) -> Response[Any]:
    """Show the domains with dead addresses."""
    async with installation_of(request).database.read() as session:
        held = await actions.held(session)
    await audit.showed(request, Act.RETURNED_MAIL_READ, count=sum(each.count for each in held))
    return page(request, "bounces/returned.html", private=True, held=held)


@post("/returned/{domain_id:str}/confirm", include_in_schema=False, status_code=303)
async def confirm(request: WebRequest, domain_id: FromPath[str]) -> Response[Any]:
    """They are dead: delete them."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        await actions.confirm(session, installation, _checked(domain_id))
        await audit.did(request, session, Act.RETURNED_MAIL_CONFIRMED)
    return see_other("/console/returned")


@post("/returned/{domain_id:str}/release", include_in_schema=False, status_code=303)
async def release(request: WebRequest, domain_id: FromPath[str]) -> Response[Any]:
    """They live: mail them again."""
    async with installation_of(request).database.write() as session:
        await actions.release(session, _checked(domain_id))
        await audit.did(request, session, Act.RETURNED_MAIL_RELEASED)
    return see_other("/console/returned")


def _checked(domain_id: str) -> str:
    if not _TAG.fullmatch(domain_id):
        raise NotFound("There is no such domain.")
    return domain_id


handlers = [returned, confirm, release]
