"""The pixel and the measured links. GET counts, HEAD never does, and neither changes anything else (promise P5)."""

import base64
from contextlib import suppress
from typing import Any

from litestar import HttpMethod, Response, route
from litestar.params import FromPath
from sqlmodel import select

from newsletter.errors import NotFound
from newsletter.issues.tables import IssueLink
from newsletter.measurement.counting import Counting
from newsletter.measurement.links import Hit, read_click, read_open
from newsletter.measurement.rules import judge
from newsletter.tokens import InvalidToken
from newsletter.web import WebRequest, installation_of

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_NEVER_KEPT = {"cache-control": "no-store, max-age=0", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
_READING = [HttpMethod.GET, HttpMethod.HEAD]


@route("/open/{file:str}", http_method=_READING, include_in_schema=False)
async def pixel(request: WebRequest, file: FromPath[str]) -> Response[bytes]:
    """Count an open and give the pixel. A wrong token gets the pixel too, and is not counted (RULES D3)."""
    with suppress(InvalidToken):
        _count(request, read_open(installation_of(request).keys, file.removesuffix(".gif")))
    return Response(PIXEL, media_type="image/gif", headers=_NEVER_KEPT)


@route("/click/{token:str}", http_method=_READING, include_in_schema=False)
async def click(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Count a click and lead on. The target is looked up by its number: nobody can make this lead elsewhere."""
    installation = installation_of(request)
    try:
        hit = read_click(installation.keys, token)
    except InvalidToken:
        raise NotFound("This link is not complete. Please use the whole link from the newsletter.") from None
    async with installation.database.read() as session:
        query = select(IssueLink.url).where(IssueLink.issue_id == hit.issue_id, IssueLink.number == hit.link)
        url = (await session.exec(query)).first()
    if url is None:
        raise NotFound("This link leads to an issue that is no longer here.")
    _count(request, hit)
    return Response(b"", status_code=302, headers={"location": url} | _NEVER_KEPT)


def _count(request: WebRequest, hit: Hit) -> None:
    counting = request.app.state.counting
    assert isinstance(counting, Counting)
    if request.method == HttpMethod.GET:
        counting.add(hit, judge({name.lower(): value for name, value in request.headers.items()}))


handlers = [pixel, click]
