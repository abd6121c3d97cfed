"""How a route of the API is declared: once, in a few words. What all of them share follows from that.

A route says where it is, who may come in, whether it takes a body, and which errors are its own. From this follow the
guards, the errors that a key, a body, an address and a list bring with them, and its entry in the OpenAPI description.
What its function asks for is all that may be said to it: other parameters and fields are refused (`inputs`).
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

from litestar import route
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.openapi import spec
from litestar.types import Guard
from msgspec import inspect

from newsletter.web.api import problems
from newsletter.web.error_answers import PROBLEM
from newsletter.web.forms import UnsupportedMediaType
from newsletter.web.inputs import refuse_unknown
from newsletter.web.pages import WebRequest


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in: the guards that see to it, and the scope that a key needs for it.

    `editors.keys.require` gives one for each scope; here nobody knows of keys.
    """

    guards: tuple[Guard, ...]
    scope: str | None


# For anybody: without a key, and said so openly.
NO_KEY = Access((), None)


@dataclass(frozen=True, slots=True)
class Body:
    """A body of JSON that a route takes: of how many octets at the most, and whether it may be left out."""

    largest: int = 64 * 1024
    optional: bool = False


@dataclass
class Described(spec.Operation):
    """A route's entry in the OpenAPI description."""

    def __post_init__(self) -> None:
        """Drop the errors that Litestar adds of its own accord: it tells of answers that nobody gets here."""
        told = (self.responses or {}).items()
        self.responses = {status: answer for status, answer in told if status < "400" or _is_problem(answer)}


def _is_problem(answer: spec.OpenAPIResponse | spec.Reference) -> bool:
    return isinstance(answer, spec.OpenAPIResponse) and PROBLEM in (answer.content or {})


@dataclass(frozen=True, slots=True)
class Operation:
    """The declaration of a route, which stands before its function as a decorator.

    `errors` are those that it has of its own, beside what follows from the rest. `before` sees the request before its
    shape is looked at; `described` mends the description where Litestar can't know better.
    """

    method: Literal["GET", "POST"]
    path: str
    access: Access
    _: KW_ONLY
    name: str
    summary: str
    tag: str
    status: int = 200
    body: Body | None = None
    errors: tuple[int, ...] = ()
    before: Callable[[Any], Any] | None = None
    described: type[Described] = Described

    def __call__(self, answer: Callable[..., Any]) -> HTTPRouteHandler:
        """Make the route of the function that answers it."""
        optional = self.body is not None and self.body.optional
        return route(
            self.path,
            http_method=self.method,
            status_code=self.status,
            guards=self._guards(),
            before_request=self._before(answer),
            request_max_body_size=(self.body or Body()).largest,
            operation_id=self.name,
            operation_class=_WithOrWithoutBody if optional else self.described,
            summary=self.summary,
            tags=[self.tag],
            security=[{"key": [self.access.scope]}] if self.access.scope else [{}],
            responses=problems(self._errors()),
            opt={"operation": self},
        )(answer)

    def _before(self, answer: Callable[..., Any]) -> Callable[[Any], Any]:
        asked = {name: kind for name, kind in answer.__annotations__.items() if name not in ("request", "return")}
        body = inspect.type_info(asked.pop("data")) if self.body else None
        queries = [name for name in asked if f"{{{name}:" not in self.path]

        async def look(request: WebRequest) -> None:
            await refuse_unknown(request, queries, body)
            if self.before:
                await self.before(request)

        return look

    def _guards(self) -> list[Guard]:
        guards = [*self.access.guards]
        if self.body:
            guards.append(_take_json if self.body.optional else _require_json)
        return guards

    def _errors(self) -> set[int]:
        errors = {*self.errors, 422}
        if self.access.scope:
            errors |= {401, 403}
        if "{" in self.path:
            errors.add(404)
        if self.method == "POST":
            errors.add(413)
        if self.body:
            errors |= {400, 415}
        return errors


@dataclass
class _WithOrWithoutBody(Described):
    """An operation whose body may be left out, described as such."""

    def __post_init__(self) -> None:
        """Mend what Litestar writes: it takes every body for required."""
        super().__post_init__()
        if isinstance(self.request_body, spec.RequestBody):
            self.request_body.required = False


async def _take_json(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let JSON bodies pass, and requests without a body. Raises UnsupportedMediaType."""
    if connection.headers.get("content-length", "0") != "0" or "transfer-encoding" in connection.headers:
        await _require_json(connection, handler)


async def _require_json(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only JSON bodies pass. Raises UnsupportedMediaType."""
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMediaType("Send the body as JSON, with the header `Content-Type: application/json`.")
