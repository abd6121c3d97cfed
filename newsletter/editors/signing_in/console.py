"""Signing in to the console, and out of it."""

from typing import Any

from litestar import Response, post

from newsletter.editors import sessions
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.passwords.hashing import Busy
from newsletter.editors.signing_in import actions
from newsletter.editors.signing_in.actions import CodeWanted, SignedIn, Visitor, Wrong
from newsletter.editors.signing_in.devices import device
from newsletter.editors.signing_in.limits import TooManyTries
from newsletter.editors.signing_in.second_factor import StepOver
from newsletter.errors import NewsletterError
from newsletter.language import translator
from newsletter.web import WebRequest, installation_of, page, read_form, reading, see_other, visitor_language
from newsletter.web.visitor import network_of

_PAGE, _CODE_PAGE = "editors/signing_in/sign_in.html", "editors/signing_in/code.html"
_INSIDE, _ACCOUNT = "/console/newsletters", "/console/account"


@reading("/sign-in")
async def sign_in_page(request: WebRequest) -> Response[Any]:
    """Show the sign-in form."""
    said = "new_password" if "new-password" in request.query_params else ""
    return _page(request, _PAGE, email="", said=said, next=safe(request.query_params.get("next", "")))


@post("/sign-in", include_in_schema=False, status_code=303)
async def sign_in(request: WebRequest) -> Response[Any]:
    """Sign in. A wrong address and a wrong password get the same answer after the same time."""
    values = await read_form(request)
    email, onward = values.get("email", ""), safe(values.get("next", ""))
    try:
        given = (visitor_of(request), email, values.get("password", ""))
        done = await actions.with_password(installation_of(request), *given)
    except (Wrong, TooManyTries, Busy) as error:
        return _page(request, _PAGE, error, email=email[:254], said="", next=onward)
    if isinstance(done, CodeWanted):
        return _page(request, _CODE_PAGE, step=done.step, next=onward)
    return _inside(done, onward)


@post("/sign-in/code", include_in_schema=False, status_code=303)
async def sign_in_with_code(request: WebRequest) -> Response[Any]:
    """Take the code of the second factor."""
    values = await read_form(request)
    step, onward = values.get("step", ""), safe(values.get("next", ""))
    try:
        done = await actions.with_code(installation_of(request), visitor_of(request), step, values.get("code", ""))
    except (Wrong, TooManyTries) as error:
        return _page(request, _CODE_PAGE, error, step=step, next=onward)
    except StepOver as error:
        return _page(request, _PAGE, error, email="", said="", next=onward)
    return _inside(done, onward)


def _inside(done: SignedIn, onward: str) -> Response[Any]:
    place = _ACCOUNT if done.short_password else onward or _INSIDE
    return sessions.with_cookie(see_other(place), done.cookie)


@post("/sign-out", include_in_schema=False, status_code=303)
async def sign_out(request: WebRequest) -> Response[Any]:
    """Sign out."""
    installation = installation_of(request)
    async with installation.database.write() as session:
        cookie = await sessions.end(session, installation, request)
        await audit.did(request, session, Act.SIGNED_OUT)
    return sessions.with_cookie(see_other("/console/sign-in"), cookie)


def visitor_of(request: WebRequest) -> Visitor:
    """Give who stands at the door."""
    return Visitor(network_of(request), device(request.headers.get("user-agent", "")))


def _page(request: WebRequest, template: str, error: NewsletterError | None = None, **context: Any) -> Response[Any]:
    language = visitor_language(request)
    answer = page(
        request,
        template,
        language=language,
        status=error.status if error else 200,
        private=True,
        error=translator(language)(error.sentence) if error else None,
        recoverable=installation_of(request).settings.relay_is_set,
        **context,
    )
    if isinstance(error, TooManyTries):
        answer.headers["retry-after"] = str(int(error.wait.total_seconds()) + 1)
    return answer


def safe(path: str) -> str:
    """Give the path to go on to, where it is one of the console's own."""
    return path if path.startswith("/console/") and path.isprintable() and "\\" not in path else ""
