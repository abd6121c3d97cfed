"""Signing in to the console and out of it."""

from typing import Any

from litestar import Response, Router, post
from litestar.config.csrf import CSRFConfig
from litestar.middleware import DefineMiddleware
from litestar.middleware.csrf import CSRFMiddleware
from litestar.types import ControllerRouterHandler

from newsletter.editors import accounts, sessions
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.errors import InvalidInput
from newsletter.settings import Settings
from newsletter.tokens import Keyring
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other

_WRONG = "The address or the password is not right."
_LARGEST_FORM = 3 * 1024 * 1024


@reading("/sign-in")
async def sign_in_page(request: WebRequest) -> Response[Any]:
    """Show the sign-in form."""
    return page(
        request,
        "editors/sign_in.html",
        private=True,
        email="",
        error=None,
        next=_safe(request.query_params.get("next", "")),
    )


@post("/sign-in", include_in_schema=False, status_code=303)
async def sign_in(request: WebRequest) -> Response[Any]:
    """Sign in. A wrong address and a wrong password get the same answer after the same time."""
    installation = installation_of(request)
    values = await read_form(request)
    async with installation.database.read() as session:
        try:
            editor = await accounts.by_address(session, values.get("email", ""))
        except InvalidInput:
            editor = None
    onward = _safe(values.get("next", ""))
    if not await accounts.check(editor, values.get("password", "")) or editor is None:
        async with installation.database.write() as session:
            # An address that is no editor's is not kept: somebody may have typed a password there.
            actor = editor.id if editor else audit.NOBODY
            await audit.note(session, installation, actor, Act.SIGN_IN_FAILED)
        email = values.get("email", "")[:254]
        return page(request, "editors/sign_in.html", status=422, private=True, email=email, error=_WRONG, next=onward)
    async with installation.database.write() as session:
        cookie = await sessions.begin(session, installation, editor)
        await audit.note(session, installation, editor.id, Act.SIGNED_IN)
    return sessions.with_cookie(see_other(onward or "/console/newsletters"), cookie)


@post("/sign-out", include_in_schema=False, status_code=303)
async def sign_out(request: WebRequest) -> Response[Any]:
    """Sign out."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        cookie = await sessions.end(session, installation, request)
        await audit.did(request, session, Act.SIGNED_OUT)
    return sessions.with_cookie(see_other("/console/sign-in"), cookie)


@reading("/")
async def front() -> Response[Any]:
    """Lead to the newsletters."""
    return see_other("/console/newsletters")


def _safe(path: str) -> str:
    """Give the path to go on to, where it is one of the console's own."""
    return path if path.startswith("/console/") and path.isprintable() and "\\" not in path else ""


def console_router(settings: Settings, keys: Keyring, handlers: list[ControllerRouterHandler]) -> Router:
    """Give the console: the sign-in for everybody, `handlers` for editors, every form under CSRF protection."""
    config = CSRFConfig(
        secret=keys.tag("csrf", b"").hex(),
        cookie_name="newsletter_csrf",
        cookie_path="/console",
        cookie_secure=settings.base_url.startswith("https://"),
        cookie_httponly=True,
        cookie_samesite="strict",
    )
    editors_only = Router("/", route_handlers=[front, sign_out, *handlers], guards=[sessions.require_editor])
    return Router(
        "/console",
        route_handlers=[sign_in_page, sign_in, editors_only],
        middleware=[DefineMiddleware(CSRFMiddleware, config=config)],
        request_max_body_size=_LARGEST_FORM,
    )
