"""The pixel and the measured links. GET counts, HEAD never does, and neither changes anything else (promise P5).

Most of them never come here: `hits` answers them in front of the app, with the same words. What comes here is a link
that must be looked up, and what is wrong and wants a page.
"""

import base64
from contextlib import suppress
from typing import Any

from litestar import HttpMethod, MediaType, Response, route
from litestar.params import FromPath

from newsletter.errors import NotFound
from newsletter.measurement.counting import Counting
from newsletter.measurement.links import Hit, read_click, read_open
from newsletter.measurement.rules import judge
from newsletter.measurement.targets import Targets
from newsletter.tokens import InvalidToken
from newsletter.web import WebRequest, installation_of

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
NEVER_KEPT = {"cache-control": "no-store, max-age=0", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
_READING = [HttpMethod.GET, HttpMethod.HEAD]


@route("/open/{file:str}", http_method=_READING, include_in_schema=False)
async def pixel(request: WebRequest, file: FromPath[str]) -> Response[bytes]:
    """Count an open and give the pixel. A wrong token gets the pixel too, and is not counted (RULES D3)."""
    with suppress(InvalidToken):
        _count(request, read_open(installation_of(request).keys, file.removesuffix(".gif")))
    return Response(PIXEL, media_type="image/gif", headers=NEVER_KEPT)


@route("/click/{token:str}", http_method=_READING, include_in_schema=False)
async def click(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Count a click and lead on. The target is looked up by its number: nobody can make this lead elsewhere."""
    try:
        hit = read_click(installation_of(request).keys, token)
    except InvalidToken:
        raise NotFound("This link is not complete. Please use the whole link from the newsletter.") from None
    targets = request.app.state.targets
    assert isinstance(targets, Targets)
    url = await targets.of(hit)
    if url is None:
        raise NotFound("This link leads to an issue that is no longer here.")
    _count(request, hit)
    headers = {"location": url.decode()} | NEVER_KEPT
    return Response(b"", status_code=302, media_type=MediaType.TEXT, headers=headers)


def _count(request: WebRequest, hit: Hit) -> None:
    counting = request.app.state.counting
    assert isinstance(counting, Counting)
    if request.method == HttpMethod.GET:
        counting.add(hit, judge({name.lower(): value for name, value in request.headers.items()}))


handlers = [pixel, click]
