"""The token in every form of the console, by which no other site can send one in an editor's name.

It is made from the cookie of the session, so that it is worth nothing in another session, before signing in, or after.
Whoever is not signed in has a cookie for it that says nothing of them.
"""

from typing import Any

from litestar import HttpMethod
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.exceptions import PermissionDeniedException
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState

from newsletter.editors.sessions import COOKIE
from newsletter.tokens import Keyring, equal, new_secret
from newsletter.web import installation_of

FIELD = "_csrf_token"
# What a route says whose form is read by hand, as a large upload: it calls `check`.
BY_HAND = {"forms_by_hand": True}
_COOKIE_OF_STRANGERS = "newsletter_csrf"
_READING = (HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS)


def _token(keys: Keyring, secret: str) -> str:
    return keys.tag("console form", secret.encode()).hex()


def _secret(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    cookies = connection.cookies
    return cookies.get(COOKIE, "") or cookies.get(_COOKIE_OF_STRANGERS, "")


def check(connection: ASGIConnection[Any, Any, Any, Any], given: object) -> None:
    """Raise PermissionDeniedException for the token of a form that this browser was not given in this session."""
    secret = _secret(connection)
    token = _token(installation_of(connection).keys, secret)
    if not secret or not isinstance(given, str) or not equal(given, token):
        raise PermissionDeniedException
    # A page that comes back to the editor carries it again.
    ScopeState.from_scope(connection.scope).csrf_token = token


class FormTokens:
    """The layer around the console that gives the tokens out, and takes no form without."""

    def __init__(self, app: ASGIApp, keys: Keyring, *, secure: bool) -> None:
        self._app, self._keys, self._secure = app, keys, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, unless it is a form that is not ours."""
        if scope["type"] != ScopeType.HTTP or scope["route_handler"].opt.get("forms_by_hand"):
            await self._app(scope, receive, send)
            return
        request = scope["litestar_app"].request_class(scope=scope, receive=receive)
        if scope["method"] not in _READING:
            form = await request.form() if _is_form(request.content_type[0]) else {}
            check(request, form.get(FIELD))
            await self._app(scope, receive, send)
            return
        secret = _secret(request)
        fresh = None if secret else new_secret()
        ScopeState.from_scope(scope).csrf_token = _token(self._keys, fresh or secret)
        await self._app(scope, receive, self._with_cookie(send, fresh) if fresh else send)

    def _with_cookie(self, send: Send, value: str) -> Send:
        cookie = Cookie(
            _COOKIE_OF_STRANGERS, value=value, path="/console", httponly=True, secure=self._secure, samesite="strict"
        )

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                MutableScopeHeaders.from_message(message).add("set-cookie", cookie.to_header(header=""))
            await send(message)

        return answer


def _is_form(content_type: str) -> bool:
    return content_type in ("application/x-www-form-urlencoded", "multipart/form-data")
