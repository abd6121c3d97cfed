"""An editor's browser in front of the console."""

from dataclasses import dataclass, replace

import httpx

from newsletter.editors.sessions import COOKIE
from tests.signup.site import Site, hidden

EMAIL, PASSWORD = "olga@example.com", "a password of many words"
SIGN_IN, INSIDE = "/console/sign-in", "/console/newsletters"


@dataclass(frozen=True)
class Desk:
    """The browser, and the site that it looks at."""

    site: Site

    @property
    def http(self) -> httpx.AsyncClient:
        """Give the browser."""
        return self.site.http

    def elsewhere(self, address: str = "192.0.2.1", *, same_cookies: bool = False) -> "Desk":
        """Give another browser in front of the same console, at that network address."""
        app = self.http._transport.app  # type: ignore[attr-defined]  # httpx's own, of an app
        transport = httpx.ASGITransport(app=app, client=(address, 40_000))
        cookies = self.http.cookies if same_cookies else None
        http = httpx.AsyncClient(transport=transport, base_url=self.http.base_url, cookies=cookies)
        return Desk(replace(self.site, http=http))

    async def send(self, action: str, page: str = INSIDE, **values: str) -> httpx.Response:
        """Load a page, and send a form with its token."""
        return await self.http.post(action, data=values | {"_csrf_token": await self.csrf(page)})

    async def csrf(self, page: str = SIGN_IN) -> str:
        """Give the token that a page's forms hold."""
        return hidden((await self.http.get(page)).text, "_csrf_token")

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD, onward: str = "") -> httpx.Response:
        """Fill in the sign-in form and send it."""
        values = {"email": email, "password": password, "next": onward, "_csrf_token": await self.csrf()}
        return await self.http.post(SIGN_IN, data=values)

    async def is_inside(self) -> bool:
        """Say whether the console lets this browser in."""
        return (await self.http.get(INSIDE)).status_code == httpx.codes.OK

    @property
    def session_cookie(self) -> str | None:
        """Give the browser's session cookie."""
        return self.http.cookies.get(COOKIE)
