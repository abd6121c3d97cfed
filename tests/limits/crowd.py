"""Strangers and readers behind a web server of ours: each comes from an address that it tells."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx

from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from tests.signup.site import Site, open_site

VICTIM = "victim@example.com"
METRICS_TOKEN = "a token that only the watcher has"


@dataclass(frozen=True)
class Crowd:
    """A website whose limits hold, and the clock it goes by."""

    site: Site
    clock: TurnedClock

    async def sign_up(self, email: str, address: str = "203.0.113.7", **headers: str) -> httpx.Response:
        """Sign up over the API from an address."""
        body = {"email": email, "agreed": True}
        return await self._post("/api/v1/newsletters/weekly/signups", address, headers, json=body)

    async def ask_for_my_page(self, email: str, address: str = "203.0.113.7") -> httpx.Response:
        """Ask for the link to the page of an address."""
        return await self._post("/my", address, {}, data={"email": email, "language": "en"})

    async def _post(self, path: str, address: str, headers: dict[str, str], **content: Any) -> httpx.Response:
        return await self.site.http.post(path, headers={"x-forwarded-for": address} | headers, **content)

    def turn(self, **by: float) -> None:
        """Turn the clock on, or back."""
        self.clock.turn(self.clock.now() + timedelta(**by))


@asynccontextmanager
async def crowded(
    installation: Installation, clock: TurnedClock, *, there_already: bool = False, **settings: Any
) -> AsyncIterator[Crowd]:
    """Give the website of an installation, behind a web server that it trusts, with these limits."""
    given = {"rate_limits": "on", "trusted_proxies": "127.0.0.1", "metrics_token": METRICS_TOKEN} | settings
    limited = replace(installation, settings=installation.settings.model_copy(update=given))
    async with open_site(limited, there_already=there_already) as site:
        yield Crowd(site, clock)


def statuses(answers: list[httpx.Response]) -> dict[int, int]:
    """Give how often each status came."""
    found = [answer.status_code for answer in answers]
    return {status: found.count(status) for status in sorted(set(found))}
