"""What every page shares: templates, security headers, errors in prose, and forms read safely.

A public page needs no session; a page behind a signed token is never kept by a cache, never indexed, and tells no other
site where its reader came from (RULES H6). Errors are a page for people and RFC 9457 problem details for programs.
"""

import hashlib
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Any

import structlog
from babel.dates import format_datetime
from babel.numbers import format_decimal
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import HttpMethod, Request, Response, route
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import ClientException, HTTPException, SerializationException
from litestar.response import Redirect
from litestar.utils.scope.state import ScopeState

from newsletter import language as languages
from newsletter.addresses import NOT_PRINTABLE
from newsletter.errors import UNREADABLE_JSON, InvalidInput, NewsletterError, NotSignedIn, shape_error
from newsletter.installation import Installation
from newsletter.logs import where

WebRequest = Request[Any, Any, State]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A mail carries its styles in it, so its frame has rules of its own: no script, no form, nothing of ours.
MAIL_FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'"
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
PRIVATE_HEADERS = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
PROBLEM = "application/problem+json"
# No database of ours keeps the one; the other stands for bytes that were no text.
_UNREADABLE = ("\0", "\N{REPLACEMENT CHARACTER}")

_language: ContextVar[str] = ContextVar("language", default=languages.DEFAULT)
_log = structlog.get_logger(__name__)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("newsletter"), autoescape=True, undefined=StrictUndefined, extensions=["jinja2.ext.i18n"]
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: languages.catalogue(_language.get()).gettext(text),
        lambda one, many, number: languages.catalogue(_language.get()).ngettext(one, many, number),
        newstyle=True,
    )
    environment.globals |= {"static": static, "format_datetime": _show_datetime, "format_number": _show_number}
    return environment


@cache
def static(path: str) -> str:
    """Give the address of a file in `static/`, which changes with its content, so that it may be cached for ever."""
    content = (resources.files("newsletter") / "static" / path).read_bytes()
    return f"/static/{path}?v={hashlib.sha256(content).hexdigest()[:12]}"


def _show_datetime(moment: datetime) -> str:
    return show_datetime(moment, _language.get())


def show_datetime(moment: datetime, language: str) -> str:
    """Give a time of UTC as it is written in `language`."""
    day = "d MMM y" if language == languages.DEFAULT else "d. MMM y"
    return format_datetime(moment, f"{day}, HH:mm 'UTC'", locale=language)


def _show_number(number: float) -> str:
    return format_decimal(number, locale=_language.get())


def render(template: str, language: str, **context: Any) -> str:
    """Give a template's text in `language`."""
    token = _language.set(language)
    try:
        return _environment().get_template(template).render(language=language, **context)
    finally:
        _language.reset(token)


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


async def read_form(request: WebRequest) -> dict[str, str]:
    """Read a form's text fields, urlencoded or multipart. Raises InvalidInput for anything else, Unstorable where a
    field's bytes aren't text.
    """
    if request.content_type[0] not in ("application/x-www-form-urlencoded", "multipart/form-data", ""):
        raise UnsupportedMediaType("Please send this as a form.")
    try:
        form = await request.form()
    except (ValueError, HTTPException) as error:
        if isinstance(error, HTTPException) and error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        raise InvalidInput("The form could not be read; please send it again.") from error
    values = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    if any(mark in value for value in values.values() for mark in _UNREADABLE):
        raise Unstorable(values)
    return values


class Unstorable(InvalidInput):
    """A form holds characters that no database keeps; `values` is what it says without them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        wrong = {name: NOT_PRINTABLE for name, value in values.items() if any(mark in value for mark in _UNREADABLE)}
        super().__init__("The form holds a character that can't be stored; please type it anew.", wrong)
        self.values = {name: value.translate(dict.fromkeys(map(ord, _UNREADABLE))) for name, value in values.items()}


class UnsupportedMediaType(NewsletterError):
    """What was sent is of a kind we don't read here."""

    status = 415
    title = "Unsupported media type"


def answer_error(request: WebRequest, error: Exception) -> Response[Any]:
    """Answer any error: in prose for people, as problem details for programs, and never with a traceback."""
    known = _as_known(error)
    if known is None:
        kind, place = type(error).__name__, where(error)
        _log.error("request_failed", method=request.method, route=path_template(request), kind=kind, where=place)
        known = NewsletterError("Something went wrong on our side. Nothing was changed; please try again.")
        known.status, known.title = 500, "Something went wrong"
    headers = _error_headers(known, error)
    if request.url.path.startswith("/api/"):
        return problem(known, headers)
    if (
        isinstance(known, NotSignedIn)
        and request.url.path.startswith("/console")
        and not request.headers.get("hx-request")
    ):
        return see_other("/console/sign-in")
    language = visitor_language(request)
    say = languages.translator(language)
    answer = page(
        request,
        "errors/error.html",
        language=language,
        status=known.status,
        private=True,
        title=say(known.title),
        sentence=say(known.sentence),
        way_on=_way_on(request.url.path, say),
    )
    answer.headers.update(headers)
    return answer


def _way_on(path: str, say: languages.Gettext) -> dict[str, str]:
    """Give where an error page leads: nobody is left in a dead end."""
    if path.startswith("/console"):
        return {"url": "/console/newsletters", "label": say("Back to the console")}
    if path.startswith("/my/"):
        return {"url": "/my", "label": say("My page")}
    return {"url": "/", "label": say("See the newsletters")}


def _error_headers(known: NewsletterError, error: Exception) -> dict[str, str]:
    """Give the headers without which a program can't tell what to do about an error (RFC 9110 §11.6.1, §15.5.6)."""
    headers = {"www-authenticate": "Bearer"} if known.status == HTTPStatus.UNAUTHORIZED else {}
    if isinstance(error, HTTPException):
        headers |= {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return headers


def problem(error: NewsletterError, headers: Mapping[str, str] | None = None) -> Response[dict[str, Any]]:
    """Give an error as problem details (RFC 9457), with a sentence for each field that won't do."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": error.sentence,
    }
    if error.fields:
        content["fields"] = error.fields
    return Response(content, media_type=PROBLEM, status_code=error.status, headers=dict(headers or {}))


def _as_known(error: Exception) -> NewsletterError | None:
    if isinstance(error, NewsletterError):
        return error
    if isinstance(error, RecursionError):
        # Nobody nests JSON that deep but to see what happens.
        error = ClientException()
    if not isinstance(error, HTTPException) or error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    wrongs = [wrong for wrong in (error.extra if isinstance(error.extra, list) else []) if isinstance(wrong, Mapping)]
    fields = dict(shape_error(str(wrong.get("key", "data")), str(wrong.get("message", ""))) for wrong in wrongs)
    status = HTTPStatus(error.status_code)
    if any(wrong.get("source") == "path" for wrong in wrongs):
        # An address that can't be one of ours is one where nothing is.
        status, fields = HTTPStatus.NOT_FOUND, {}
    # What is said of no field is about the whole body.
    unreadable = isinstance(error.__cause__, SerializationException)
    sentence = UNREADABLE_JSON if unreadable else _SENTENCES.get(status, f"{status.phrase}.")
    sentence = fields.pop("", sentence)
    if fields:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        sentence = " ".join(f"{field}: {why}" for field, why in fields.items())
    known = NewsletterError(sentence, fields)
    known.status, known.title = status.value, status.phrase
    return known


_SENTENCES = {
    HTTPStatus.BAD_REQUEST: "The request could not be read.",
    HTTPStatus.FORBIDDEN: "This form is too old, or was sent from elsewhere. "
    "Go back, load the page anew and try again.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address can't be used in that way.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is too large to be taken.",
}


def path_template(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Give the route's template instead of its path, which may hold a token (RULES H6)."""
    return str(connection.scope.get("path_template") or "unmatched")


def installation_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Installation:
    """Give the installation the app was made for."""
    installation = connection.app.state.installation
    assert isinstance(installation, Installation)
    return installation
