"""Whatever is added to the console or to my page is for whom it is for, and takes no form that another site sent."""

from collections.abc import Iterator

import httpx
from litestar.routes import HTTPRoute

from tests.web.site import SLUG, Site

NOBODY = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
FOR_EVERYBODY = {"/console/sign-in", "/console/sign-in/code", "/console/recover", "/console/recover/{token}"}
# Where a link or a question is answered that needs no visit: what it names, it names by a signed token.
BY_TOKEN = {"/my", "/my/{token}", "/my/address/{token}"}


def paths(site: Site, beginning: str, method: str) -> Iterator[str]:
    """Give a path for each route that begins so and takes that method."""
    for route in site.app.routes:
        if isinstance(route, HTTPRoute) and route.path_format.startswith(beginning) and method in route.methods:
            path = route.path_format
            if path not in FOR_EVERYBODY | BY_TOKEN:
                for part in route.path_parameters:
                    path = path.replace(f"{{{part}}}", SLUG if part == "slug" else NOBODY)
                yield path


async def test_without_signing_in_the_console_shows_and_takes_nothing(site: Site) -> None:
    for method in ("GET", "POST"):
        asked = list(paths(site, "/console", method))
        assert len(asked) > 20
        for path in asked:
            answer = await site.browser.request(method, path, follow_redirects=False)
            refused = answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
            assert refused or answer.headers.get("location") == "/console/sign-in", (method, path, answer.status_code)


async def test_the_console_takes_no_form_that_it_did_not_give(site: Site) -> None:
    await site.sign_in()
    for path in paths(site, "/console", "POST"):
        # Multipart, which an upload reads by itself, as a form of another site may be, too.
        answer = await site.browser.post(path, files={"name": (None, "x")}, follow_redirects=False)
        assert answer.status_code == httpx.codes.FORBIDDEN, (path, answer.status_code)


async def test_without_a_visit_my_page_shows_and_takes_nothing(site: Site) -> None:
    for method in ("GET", "POST"):
        for path in paths(site, "/my/", method):
            if path != "/my/asked":
                answer = await site.browser.request(method, path, follow_redirects=False)
                assert answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.GONE), (method, path)
