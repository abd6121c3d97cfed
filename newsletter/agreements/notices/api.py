"""Notices for other programs: what to show on a form of one's own, and by which hash to name it (RULES A6)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from newsletter.agreements.notices.actions import as_html
from newsletter.agreements.notices.versions import Version, versions
from newsletter.editors.keys import Scope, require
from newsletter.errors import InvalidInput
from newsletter.newsletters import actions as newsletters
from newsletter.web import WebRequest, installation_of
from newsletter.web.api import PAGE, After, Items, Page, Slug
from newsletter.web.operations import Operation

_NO_PLACE = "There is no such version any more; please begin with the first page."


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


class NoticesOutput(Page):
    """A page of at most 50 versions of every language, the last one first; `next` is None on the last."""

    items: Items[NoticeOutput]


@Operation(
    "GET",
    "/newsletters/{slug:str}/notices",
    require(Scope.READ),
    name="listNotices",
    summary="Read a newsletter's notices",
    tag="notices",
)
async def list_notices(request: WebRequest, slug: Slug, after: After = None) -> NoticesOutput:
    """Give the notices, the planned and the followed ones, too. A signup may name one that was ever shown."""
    installation = installation_of(request)
    async with installation.database.read() as session:
        newsletter = await newsletters.by_slug(session, slug)
        found = await versions(session, newsletter.id, installation.clock.now())
    begin = _place(found, after) + 1 if after else 0
    shown = found[begin : begin + PAGE]
    return NoticesOutput(
        [_output(version) for version in shown], shown[-1].use.id if len(found) > begin + PAGE else None
    )


def _place(found: Sequence[Version], after: str) -> int:
    for place, version in enumerate(found):
        if version.use.id == after:
            return place
    raise InvalidInput(_NO_PLACE, {"after": _NO_PLACE})


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
