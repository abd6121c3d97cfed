"""The words of the API: what stands in its addresses, how its lists come, and how its errors are told.

RFC 9457, OpenAPI 3.1. How a route is declared with them says `operations`.
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, Parameter, QueryParameter
from msgspec import Meta

from newsletter.web.error_answers import PROBLEM

ID = "^[a-z2-7]{26}$"
Slug = FromPath[
    Annotated[
        str, Parameter(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64, description="The newsletter's short name.")
    ]
]
IssueId = FromPath[Annotated[str, Parameter(pattern=ID, description="The issue's id.")]]
ImportId = FromPath[Annotated[str, Parameter(pattern=ID, description="The import's id.")]]

# Where a page of a list begins. A search has it in its body.
AFTER = "`next` of the page before."
After = Annotated[str | None, QueryParameter(pattern=ID, description=AFTER)]
# How many a page of a list holds.
PAGE = 50
_Item = TypeVar("_Item")
Items = Annotated[list[_Item], Meta(max_length=PAGE)]


class Page(msgspec.Struct):
    """A page of a list; `next` is what the page after it is asked for by, or None on the last.

    Each list says anew what its `items` are, as `Items[…]`.
    """

    items: list[Any]
    next: str | None


class Problem(msgspec.Struct):
    """Problem details (RFC 9457); `fields` says for each field that won't do why."""

    type: str
    title: str
    status: int
    detail: str
    fields: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


_MEANINGS = {
    400: "The body could not be read.",
    401: "The API key is missing or not known.",
    403: "The API key lacks the scope.",
    404: "There is no such thing.",
    409: "Not possible in the state things are in.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "A field won't do; `fields` says which and why.",
    429: "Too many from this network; the header `Retry-After` says after how many seconds another is taken.",
}


def problems(statuses: Collection[int]) -> Mapping[int, ResponseSpec]:
    """Describe the errors a route may answer with, for its OpenAPI entry."""
    return {
        status: ResponseSpec(Problem, description=_MEANINGS[status], media_type=PROBLEM, generate_examples=False)
        for status in sorted(statuses)
    }
