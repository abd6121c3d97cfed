"""Signups and subscribers for other programs."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar.openapi.spec import Example
from litestar.params import JSONBody, Parameter
from msgspec import Meta

from newsletter.agreements.actions import Origin
from newsletter.agreements.notices.versions import CURRENT
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.keys import Scope, require
from newsletter.limits.door import door_of
from newsletter.newsletters import actions as newsletters
from newsletter.signup.asking import Wish, asking_of
from newsletter.signup.offers import Offer, Wording
from newsletter.signup.rules import Signup, read_signup
from newsletter.signup.search import search
from newsletter.web import WebRequest, installation_of
from newsletter.web.api import AFTER, ID, PAGE, Page, Slug
from newsletter.web.inputs import Input, values_of
from newsletter.web.operations import NO_KEY, Body, Operation

# Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic, Devanagari, Thai, Georgian, Japanese, Chinese and Korean letters.
# A pattern must be read alike by programs in any language, and few of them know \p{L}. `addresses` takes any letter.
_LETTERS = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0300-\u033f\u0388-\u038a\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481"
    "\u048a-\u052f\u0531-\u0556\u0560-\u0588\u05d0-\u05ea\u0620-\u065f\u0671-\u06d3\u0904-\u0939\u093a-\u094f"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u10d0-\u10fa\u1e00-\u1eff\u3041-\u3096\u30a1-\u30fa\u30fc-\u30fe\u4e00-\u9fff\uac00-\ud7a3"
)
_USUAL_NAME = f"^[{_LETTERS}0-9 .,'\u2019&()+-]*$"
Email = Annotated[
    str,
    Parameter(
        max_length=254,
        description="Mandatory; with `agreed`, nothing else is. Addresses with letters beyond ASCII are taken, too.",
        examples=[Example(value="kari@example.com")],
        schema_extra={"format": "email"},
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
NoticeName = Annotated[
    str,
    Meta(
        pattern="^([0-9a-f]{64}|current)$",
        description="The hash of the notice your form showed, or `current`: the one in force, as without it.",
    ),
]


class SignupInput(Input):
    """A person's own request for a newsletter. `agreed` must have been set by that person, never by default."""

    email: Email
    agreed: Annotated[Literal[True], Meta(description="Set by the person; nothing but true is taken.")]
    given_name: Name | None = None
    family_name: Name | None = None
    title: Name | None = None
    employer: Name | None = None
    language: Annotated[str, Meta(max_length=35, description="nb, nn or en; else the newsletter's.")] | None = None
    notice: NoticeName | None = None


async def judge(request: WebRequest) -> None:
    """Judge a signup as our own form does, before its shape is looked at: so each field gets its sentence.

    Raises InvalidInput, and TooMany. What was read waits in the request's state.
    """
    request.state.networks = door_of(request).come_in(request)
    values = await values_of(request)
    if values is not None:
        request.state.signup = read_signup(values | {"agreed": values.get("agreed") is True}, "")


class Accepted(msgspec.Struct):
    """Empty: the answer is the same for every address."""


_WANTED = "An address, or the beginning of a name; everybody without it."


class SearchInput(Input):
    """What to look for: an address, or the beginning of a name; everybody without it. `after` is the page before's
    `next`.
    """

    email: Annotated[str, Meta(max_length=254, pattern=r"^[^\x00]*$", description=_WANTED)] | None = None
    after: Annotated[str, Meta(pattern=ID, description=AFTER)] | None = None


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


class SearchResult(Page):
    """A page of at most 50 subscribers, the first with up to 50 who have yet to confirm; `next` is None on the last."""

    items: Annotated[list[FoundPerson], Meta(max_length=2 * PAGE)]


@Operation(
    "POST",
    "/newsletters/{slug:str}/signups",
    NO_KEY,
    name="signUp",
    summary="Ask for a newsletter",
    tag="signup",
    status=202,
    body=Body(),
    errors=(409, 429),
    before=judge,
)
async def sign_up(request: WebRequest, slug: Slug, data: JSONBody[SignupInput]) -> Accepted:
    """Take a signup from another site's form. Needs no key; the person confirms from the mailbox."""
    signup = request.state.signup
    assert isinstance(signup, Signup)

    def choose(offer: Offer) -> tuple[Wording, bool]:
        in_force = offer.in_force(data.language or offer.language)
        return (offer.ever(data.notice) if data.notice and data.notice != CURRENT else in_force), False

    await asking_of(request).ask(Wish(slug, signup, Origin("subject", "api"), choose, request.state.networks))
    return Accepted()


@Operation(
    "POST",
    "/newsletters/{slug:str}/subscribers/search",
    require(Scope.SUBSCRIBERS),
    name="searchSubscribers",
    summary="Search subscribers",
    tag="subscribers",
    body=Body(),
)
async def search_subscribers(request: WebRequest, slug: Slug, data: JSONBody[SearchInput]) -> SearchResult:
    """Find a newsletter's subscribers. A POST, so that no address stands in a URL."""
    async with installation_of(request).database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        people = await search(session, newsletter.id, data.email or "", data.after)
    searched = Act.SUBSCRIBERS_SEARCHED if data.email else Act.SUBSCRIBERS_LISTED
    await audit.found(request, searched, newsletter.id, [person.subscriber_id or person.id for person in people.items])
    return SearchResult([msgspec.convert(asdict(person), FoundPerson) for person in people.items], people.next)


handlers = [sign_up, search_subscribers]
