"""What happens to every request at the edge: security headers on every answer, and one log line without a path or an
address.

The log names the route's template, never the path, for a path may hold a token (RULES H6). Opens and clicks leave no
line at all: its time could be held against the order of delivery (promise P3).
"""

from collections.abc import Iterable

from litestar import HttpMethod, Litestar
from litestar.enums import ScopeType
from litestar.routes import HTTPRoute
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.clock import SystemClock
from newsletter.logs import get_logger
from newsletter.web import SECURITY_HEADERS

_clock = SystemClock()
_log = get_logger("newsletter.request")
_QUIET = {"/health/live", "/health/ready", "/metrics"}
_COUNTED = {"/open/{file}", "/click/{token}"}


class Edge:
    """The outermost layer around the app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began = _clock.monotonic()
        status = HTTP_500_INTERNAL_SERVER_ERROR

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name.lower() for name, _ in message.get("headers", [])}
                message["headers"] = [
                    *_with_every_method(scope, message.get("headers", [])),
                    *(pair for pair in _HEADERS if pair[0] not in present),
                ]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            template = str(scope.get("path_template") or "unmatched")
            if template not in _QUIET and (template not in _COUNTED or status >= HTTP_500_INTERNAL_SERVER_ERROR):
                elapsed = round((_clock.monotonic() - began) * 1000, 1)
                _log.info("request", method=scope.get("method"), route=template, status=status, milliseconds=elapsed)


def _with_every_method(scope: Scope, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Let the answer to OPTIONS name every method: Litestar names those of the handler that was registered first."""
    template = scope.get("path_template")
    if scope.get("method") != HttpMethod.OPTIONS or template is None:
        return list(headers)
    routes = [route for route in Litestar.from_scope(scope).routes if isinstance(route, HTTPRoute)]
    methods = {method for route in routes if route.path_format == template for method in route.methods}
    allowed = ", ".join(sorted(methods)).encode()
    return [(name, allowed if name.lower() == b"allow" else value) for name, value in headers]


_HEADERS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
