"""What the API's routes share: how errors are described, and what a JSON body must look like. RFC 9457, OpenAPI 3.1."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from newsletter.web import PROBLEM, UnsupportedMediaType


class Problem(msgspec.Struct):
    """Problem details (RFC 9457); `fields` says for each field that won't do why."""

    type: str
    title: str
    status: int
    detail: str
    fields: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


Slug = Annotated[
    str, Parameter(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64, description="The newsletter's short name.")
]
IssueId = Annotated[str, Parameter(pattern="^[a-z2-7]{26}$", description="The issue's id.")]

_MEANINGS = {
    400: "The body could not be read.",
    401: "The API key is missing or not known.",
    403: "The API key lacks the scope.",
    404: "There is no such thing.",
    409: "Not possible in the state things are in.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "A field won't do; `fields` says which and why.",
}


def problems(*statuses: int) -> Mapping[int, ResponseSpec]:
    """Describe the errors a route may answer with, for its OpenAPI entry."""
    return {
        status: ResponseSpec(Problem, description=_MEANINGS[status], media_type=PROBLEM, generate_examples=False)
        for status in statuses
    }


async def take_json(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let JSON bodies pass, and requests without a body. Raises UnsupportedMediaType."""
    if connection.headers.get("content-length", "0") != "0" or "transfer-encoding" in connection.headers:
        await require_json(connection, handler)


async def require_json(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only JSON bodies pass. Raises UnsupportedMediaType."""
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMediaType("Send the body as JSON, with the header `Content-Type: application/json`.")
