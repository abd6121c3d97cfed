"""The front page: the newsletters on offer."""

from typing import Any

from litestar import Response

from newsletter.newsletters import actions
from newsletter.web import WebRequest, installation_of, page, reading, visitor_language


@reading("/")
async def home(request: WebRequest) -> Response[Any]:
    """Show the newsletters one can subscribe to."""
    async with installation_of(request).database.read() as session:
        newsletters = await actions.on_offer(session)
    return page(request, "newsletters/home.html", language=visitor_language(request), newsletters=newsletters)


handlers = [home]
