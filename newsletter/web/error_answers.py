"""Errors, answered in prose: as a page for people, as RFC 9457 problem details for programs, never with a traceback."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from litestar import Response
from litestar.exceptions import ClientException, HTTPException, SerializationException

from newsletter import language as languages
from newsletter.errors import UNREADABLE_JSON, NewsletterError, NotSignedIn, TooMany, shape_error
from newsletter.logs import get_logger, where
from newsletter.web.pages import WebRequest, page, path_template, see_other, visitor_language

PROBLEM = "application/problem+json"
_SENTENCES = {
    HTTPStatus.BAD_REQUEST: "The request could not be read.",
    HTTPStatus.FORBIDDEN: "This form is too old, or was sent from elsewhere. "
    "Go back, load the page anew and try again.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address can't be used in that way.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is too large to be taken.",
}
_log = get_logger(__name__)


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
        "web/error.html",
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
    """Give the headers without which a program can't tell what to do about an error (RFC 9110 §10.2.3, §11.6.1,
    §15.5.6).
    """
    headers = {"www-authenticate": "Bearer"} if known.status == HTTPStatus.UNAUTHORIZED else {}
    if isinstance(known, TooMany):
        headers["retry-after"] = str(known.seconds)
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
