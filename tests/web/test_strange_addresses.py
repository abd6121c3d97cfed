"""An address that names nothing that could be is answered so, whichever database is behind it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar.routes import HTTPRoute

from newsletter.agreements.notices.actions import in_force
from newsletter.installation import Installation
from tests.web.site import SLUG, Site, running_site


@pytest.fixture
async def site(installation: Installation) -> AsyncIterator[Site]:
    """Give the site on both databases: what the one takes for text, the other refuses."""
    async with running_site(installation) as opened:
        yield opened


async def test_no_address_with_a_byte_that_is_no_text_breaks_anything(site: Site) -> None:
    await site.sign_in()
    asked = {
        (method, path)
        for route in site.app.routes
        if isinstance(route, HTTPRoute) and route.path_parameters
        for method in route.methods & {"GET", "POST"}
        for path in (_with(route, "%00"), _with(route, "%ff"), _with(route, "x" * 3000))
    }
    assert len(asked) > 100
    for method, path in sorted(asked):
        headers = {"authorization": f"Bearer {site.key}"}
        answer = await site.browser.request(method, path, headers=headers, follow_redirects=False)
        assert answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR, f"{method} {path[:80]}"


async def test_nor_does_a_question_with_one(site: Site) -> None:
    await site.sign_in()
    async with site.installation.database.read() as session:
        notices = await in_force(session, site.newsletter.id, site.installation.clock.now())
    for page in (f"/newsletters/{SLUG}/notices/{notices['en'].hash}", f"/console/newsletters/{SLUG}/notices/compare"):
        answer = await site.browser.get(f"{page}?since=%00&from=%00&to=%00&language=%00")
        assert answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR, page


def _with(route: HTTPRoute, strange: str) -> str:
    path = route.path_format
    for part in route.path_parameters:
        path = path.replace(f"{{{part}}}", strange)
    return path
