"""The web app within the test's own process, with the installation that is behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
from litestar import Litestar
from litestar.testing import AsyncTestClient

from newsletter.agreements.opening import open_newsletter
from newsletter.editors import accounts, keys
from newsletter.installation import Installation
from newsletter.newsletters.actions import by_slug
from newsletter.newsletters.tables import Newsletter
from newsletter.serving.app import create_app
from tests.journeys.story import EDITOR, PASSWORD, hidden_fields

SLUG = "weekly"
METRICS_TOKEN = "the token of the metrics"


@dataclass(frozen=True)
class Site:
    """The app, a browser in front of it, and what it stands on: one newsletter, an editor, an API key."""

    app: Litestar
    browser: AsyncTestClient[Litestar]
    installation: Installation
    newsletter: Newsletter
    key: str

    async def sign_in(self) -> None:
        """Sign the browser in to the console."""
        answer = await self.post_form("/console/sign-in", "/console/sign-in", email=EDITOR, password=PASSWORD)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text

    async def post_form(self, page: str, action: str, **fields: str) -> httpx.Response:
        """Load a page and send its form, as a browser does."""
        shown = await self.browser.get(page)
        return await self.browser.post(action, data=hidden_fields(shown.text) | fields, follow_redirects=False)

    async def draft(self, subject: str = "Hello", body: str = "A [link](https://example.com/a).") -> str:
        """Write an issue by the API; give its id."""
        answer = await self.api("POST", f"/newsletters/{SLUG}/issues", {"subject": subject, "body": body})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return str(answer.json()["id"])

    async def api(self, method: str, path: str, json: object = None, key: str | None = None) -> httpx.Response:
        """Use the API with the key, or with another."""
        headers = {"authorization": f"Bearer {self.key if key is None else key}"}
        return await self.browser.request(method, f"/api/v1{path}", json=json, headers=headers)


@asynccontextmanager
async def running_site(opened: Installation) -> AsyncIterator[Site]:
    """Give the site of an installation, without a worker."""
    settings = opened.settings.model_copy(update={"secret_key": "a secret of tests alone, long enough"})
    settings = settings.model_copy(update={"metrics_token": METRICS_TOKEN})
    installation = replace(opened, settings=settings, keys=settings.keyring())
    given = {"name": "Weekly news", "sender": "Example <news@example.com>", "language": "en"}
    async with installation.database.write() as session:
        await open_newsletter(session, installation, SLUG, given)
        newsletter = await by_slug(session, SLUG)
        await accounts.add(session, installation.clock, EDITOR, "Olga", PASSWORD)
        key = await keys.create(session, installation.clock, "test")
    app = create_app(settings, worker=False, clock=installation.clock)
    async with AsyncTestClient(app, base_url=settings.base_url, raise_server_exceptions=False) as browser:
        yield Site(app, browser, installation, newsletter, key)
