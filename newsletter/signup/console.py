"""A newsletter's subscribers in the console. The search is a POST: no address stands in a URL (RULES H6)."""

from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.newsletters import actions as newsletters
from newsletter.signup.actions import count_pending
from newsletter.signup.search import search
from newsletter.subscribers.actions import count_active
from newsletter.web import WebRequest, installation_of, page, read_form, reading


@reading("/newsletters/{slug:str}/subscribers")
async def subscribers(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Show the first subscribers of a newsletter."""
    return await _page(request, slug, "", None)


@post("/newsletters/{slug:str}/subscribers", include_in_schema=False, status_code=200)
async def find_subscribers(request: WebRequest, slug: FromPath[str]) -> Response[Any]:
    """Show those who match the search, and the next page of them."""
    values = await read_form(request)
    return await _page(request, slug, values.get("query", "")[:254], values.get("cursor") or None)


async def _page(request: WebRequest, slug: str, query: str, after: str | None) -> Response[Any]:
    async with installation_of(request).database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        people = await search(session, newsletter.id, query, after)
        counts = {
            "active": await count_active(session, newsletter.id),
            "pending": await count_pending(session, newsletter.id),
        }
    await audit.found(
        request,
        Act.SUBSCRIBERS_SEARCHED if query else Act.SUBSCRIBERS_LISTED,
        newsletter.id,
        [person.subscriber_id or person.id for person in people.items],
    )
    return page(
        request,
        "signup/subscribers.html",
        private=True,
        newsletter=newsletter,
        query=query,
        items=people.items,
        next=people.next,
        counts=counts,
    )


handlers = [subscribers, find_subscribers]
