"""How a page is asked for and given: its route, its reader's language, and its headers.

A public page needs no session. `private` pages are for their reader alone.
"""

from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.response import Redirect
from litestar.utils.scope.state import ScopeState

from newsletter import language as languages
from newsletter.installation import Installation
from newsletter.web.headers import PRIVATE_HEADERS
from newsletter.web.rendering import render

WebRequest = Request[Any, Any, State]


def page(
    request: WebRequest,
    template: str,
    *,
    language: str = languages.DEFAULT,
    status: int = 200,
    private: bool = False,
    **context: Any,
) -> Response[str]:
    """Give a page. `private` is for what only its reader may see: nothing keeps it, nothing indexes it."""
    csrf_token = ScopeState.from_scope(request.scope).csrf_token
    content = render(
        template,
        language,
        path=request.url.path,
        status=status,
        editor=request.scope.get("user"),
        overdue_requests=request.scope["state"].get("overdue_requests", 0),
        limits_over=request.scope["state"].get("limits_over", {}),
        short_password=request.scope["state"].get("short_password", False),
        csrf_token=csrf_token if isinstance(csrf_token, str) else "",
        **context,
    )
    headers = {"content-language": language, "vary": "accept-language"} | (PRIVATE_HEADERS if private else {})
    return Response(content, media_type="text/html", status_code=status, headers=headers)


def visitor_language(request: WebRequest, otherwise: str = languages.DEFAULT) -> str:
    """Give the language a visitor asked for by `?language=`, or whose browser likes it best."""
    if asked := languages.known(request.query_params.get("language")):
        return asked
    return languages.preferred(request.headers.get("accept-language", ""), languages.LANGUAGES, otherwise)


def reading(path: str, **options: Any) -> route:
    """Declare a page that is read by GET, and by HEAD without its content (RFC 9110 §9.1)."""
    return route(path, http_method=[HttpMethod.GET, HttpMethod.HEAD], include_in_schema=False, **options)


def see_other(url: str) -> Response[Any]:
    """Send a browser on after a form was taken (303)."""
    return Redirect(url, status_code=303)


def path_template(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Give the route's template instead of its path, which may hold a token (RULES H6)."""
    return str(connection.scope.get("path_template") or "unmatched")


def installation_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Installation:
    """Give the installation the app was made for."""
    installation = connection.app.state.installation
    assert isinstance(installation, Installation)
    return installation
