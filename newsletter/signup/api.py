"""Signups and subscribers for other programs."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, post
from litestar.datastructures import State
from litestar.openapi.spec import Example
from litestar.params import FromPath, JSONBody, Parameter
from msgspec import Meta

from newsletter.agreements import notices
from newsletter.agreements.actions import Origin
from newsletter.api import Slug, problems, require_json
from newsletter.editors.keys import Scope, described, require
from newsletter.errors import Conflict
from newsletter.newsletters import actions as newsletters
from newsletter.signup import actions
from newsletter.signup.pages import current_notice
from newsletter.signup.rules import read_signup
from newsletter.signup.search import search
from newsletter.web import installation_of

# The patterns describe what is sure to be taken. We take more than a regular expression can say: see `addresses`.
_USUAL_ADDRESS = r"^[a-z0-9]{1,30}(\.[a-z0-9]{1,30})?@([a-z0-9]{1,20}\.){1,3}(com|org|net|no|se|dk)$"
_USUAL_NAME = r"^[A-Za-zÀ-ÖØ-öø-ÿ' -]*$"
Email = Annotated[
    str,
    Parameter(
        max_length=254,
        description="Mandatory; nothing else is. The pattern is that of the usual addresses; others are taken too.",
        examples=[Example(value="kari@example.com")],
        schema_extra={"pattern": _USUAL_ADDRESS},
    ),
]
Name = Annotated[
    str,
    Meta(
        max_length=64,
        description="Optional. Any letters, also beyond the pattern; no web addresses or control characters.",
    ),
    Parameter(schema_extra={"pattern": _USUAL_NAME}),
]
NoticeHash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="The hash of the notice your form showed.")]


class SignupInput(msgspec.Struct):
    """A person's own request for a newsletter. `agreed` must have been set by that person, never by default."""

    email: Email
    agreed: Annotated[Literal[True], Meta(description="Set by the person; nothing but true is taken.")]
    given_name: Name | None = None
    family_name: Name | None = None
    title: Name | None = None
    employer: Name | None = None
    language: Annotated[str, Meta(max_length=35, description="nb, nn or en; else the newsletter's.")] | None = None
    notice: NoticeHash | None = None


class Accepted(msgspec.Struct):
    """Empty: the answer is the same for every address."""


_WANTED = "An address, or the beginning of a name; everybody without it."


class SearchInput(msgspec.Struct):
    """What to look for: an address, or the beginning of a name; everybody without it. `after` is the page before's
    `next`.
    """

    email: Annotated[str, Meta(max_length=254, pattern=r"^[^\x00]*$", description=_WANTED)] | None = None
    after: Annotated[str, Meta(pattern="^[a-z2-7]{26}$", description="`next` of the page before.")] | None = None


class FoundPerson(msgspec.Struct):
    """A subscriber, or somebody who has yet to confirm (state pending)."""

    id: str
    email: str
    given_name: str | None
    family_name: str | None
    title: str | None
    employer: str | None
    language: str
    state: str
    since: datetime


class SearchResult(msgspec.Struct):
    """A page of at most 50 subscribers; `next` is None on the last."""

    items: list[FoundPerson]
    next: str | None


@post(
    "/newsletters/{slug:str}/signups",
    status_code=202,
    guards=[require_json],
    operation_id="signUp",
    summary="Ask for a newsletter",
    tags=["signup"],
    security=[{}],
    responses=problems(400, 404, 409, 413, 415, 422),
    request_max_body_size=64 * 1024,
)
async def sign_up(request: Request[Any, Any, State], slug: FromPath[Slug], data: JSONBody[SignupInput]) -> Accepted:
    """Take a signup from another site's form. Needs no key; the person confirms from the mailbox."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        notice = await current_notice(session, newsletter, data.language or newsletter.language)
        if data.notice:
            shown = await notices.find(session, data.notice)
            if shown is None or not await notices.has_shown(session, newsletter.id, shown.hash):
                sentence = "This newsletter never showed a notice with that hash."
                raise Conflict(sentence, {"notice": sentence})
            notice = shown
    signup = read_signup(msgspec.structs.asdict(data), notice.language)
    asked = actions.Asked(
        notice,
        witnessed=False,
        origin=Origin("subject", "api"),
        hours=installation.settings.retention_unconfirmed,
    )
    async with installation.database.write() as session:
        await actions.ask(session, installation.clock, newsletter, signup, asked)
    return Accepted()


@post(
    "/newsletters/{slug:str}/subscribers/search",
    status_code=200,
    guards=[require(Scope.SUBSCRIBERS), require_json],
    security=described(Scope.SUBSCRIBERS),
    operation_id="searchSubscribers",
    summary="Search subscribers",
    tags=["subscribers"],
    responses=problems(400, 401, 403, 404, 413, 415, 422),
    request_max_body_size=64 * 1024,
)
async def search_subscribers(
    request: Request[Any, Any, State], slug: FromPath[Slug], data: JSONBody[SearchInput]
) -> SearchResult:
    """Find a newsletter's subscribers. A POST, so that no address stands in a URL."""
    async with installation_of(request).database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        people = await search(session, newsletter.id, data.email or "", data.after)
    return SearchResult([FoundPerson(**asdict(person)) for person in people.items], people.next)


handlers = [sign_up, search_subscribers]
