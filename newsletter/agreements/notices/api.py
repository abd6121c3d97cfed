"""Notices for other programs: what to show on a form of one's own, and by which hash to name it (RULES A6)."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.params import FromPath
from msgspec import Meta

from newsletter.agreements.notices.actions import as_html
from newsletter.agreements.notices.versions import Version, versions
from newsletter.editors.keys import Scope, described, require
from newsletter.newsletters import actions as newsletters
from newsletter.web import installation_of
from newsletter.web.api import Slug, problems


class NoticeOutput(msgspec.Struct):
    """A version of a notice; `standing` is planned, in_force or followed. `text` is Markdown, `html` the same."""

    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="The SHA-256 of its words: its name.")]
    language: str
    label: str
    text: str
    html: str
    valid_from: datetime
    standing: str
    agreements: int


class NoticesOutput(msgspec.Struct):
    """Every version of every language, the last one first."""

    items: list[NoticeOutput]


@get(
    "/newsletters/{slug:str}/notices",
    guards=[require(Scope.READ)],
    security=described(Scope.READ),
    operation_id="listNotices",
    summary="Read a newsletter's notices",
    tags=["notices"],
    responses=problems(401, 403, 404),
)
async def list_notices(request: Request[Any, Any, State], slug: FromPath[Slug]) -> NoticesOutput:
    """Give the notices, the planned and the followed ones, too. A signup may name one that was ever shown."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        found = await versions(session, newsletter.id, installation.clock.now())
    return NoticesOutput([_output(version) for version in found])


def _output(version: Version) -> NoticeOutput:
    notice = version.notice
    return NoticeOutput(
        hash=notice.hash,
        language=version.use.language,
        label=notice.label,
        text=notice.text,
        html=as_html(notice.text),
        valid_from=version.use.valid_from,
        standing=version.standing,
        agreements=version.agreements,
    )


handlers = [list_notices]
