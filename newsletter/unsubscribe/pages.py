"""The unsubscribe page, and the one-click of the mail program (RFC 8058).

The POST asks for nothing: no cookie, no session, no form token, no particular body. Whoever holds the link may leave.
"""

from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from newsletter.unsubscribe import actions
from newsletter.web import WebRequest, installation_of, page, reading, visitor_language


@reading("/unsubscribe/{token:str}")
async def ask(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Show one big button. Nothing happens until it is pressed."""
    installation = installation_of(request)
    subscription_id = actions.read_token(installation.keys, token)
    async with installation.database.read() as session:
        newsletter = await actions.newsletter_of(session, subscription_id)
    language = visitor_language(request, newsletter.language if newsletter else "en")
    return page(
        request,
        "unsubscribe/page.html",
        language=language,
        private=True,
        newsletter=newsletter,
        action=f"/unsubscribe/{token}",
    )


@post("/unsubscribe/{token:str}", include_in_schema=False, status_code=200)
async def leave(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Unsubscribe; the same answer however often, and also after the person is gone (RULES E2)."""
    installation = installation_of(request)
    subscription_id = actions.read_token(installation.keys, token)
    async with installation.database.write() as session:
        newsletter = await actions.newsletter_of(session, subscription_id)
        await actions.unsubscribe(session, installation, subscription_id, "link")
    language = visitor_language(request, newsletter.language if newsletter else "en")
    return page(request, "unsubscribe/done.html", language=language, private=True, newsletter=newsletter)


handlers = [ask, leave]
