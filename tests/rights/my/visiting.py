"""Somebody on their own page, as a browser has it: the link asked for, mailed, opened, and its cookie held."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from tests.signup.site import Site, hidden
from tests.signup.test_letters import mailed
from tests.support.peer import SmtpPeer


@dataclass(frozen=True)
class Visit:
    """A browser of its own that has opened its link."""

    http: httpx.AsyncClient

    async def text(self, path: str = "/my") -> str:
        """Give what a page says."""
        answer = await self.http.get(path)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.text

    async def press(self, path: str, **values: str) -> httpx.Response:
        """Send a form of the page, with the token that the page gave it."""
        token = hidden(await self.text(), "form_token")
        return await self.http.post(path, data={"form_token": token} | values)


async def ask(site: Site, email: str, language: str = "nb") -> httpx.Response:
    """Ask for the link to the page of an address."""
    return await site.http.post("/my", data={"email": email, "language": language})


async def link_to(site: Site, peer: SmtpPeer, email: str) -> str:
    """Ask for the link, and give the path of it from the letter."""
    await mailed(site, peer)
    answer = await ask(site, email)
    assert answer.status_code == httpx.codes.SEE_OTHER
    (letter,) = await mailed(site, peer)
    assert letter.recipients == (email,)
    return urlsplit(letter.link("my")).path


@asynccontextmanager
async def browser(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """Give a browser that has been nowhere yet."""
    transport = site.http._transport
    async with httpx.AsyncClient(transport=transport, base_url=str(site.http.base_url)) as http:
        yield http


@asynccontextmanager
async def visiting(site: Site, peer: SmtpPeer, email: str) -> AsyncIterator[Visit]:
    """Give the visit of whoever reads the mail of that address."""
    path = await link_to(site, peer, email)
    async with browser(site) as http:
        opened = await http.post(path)
        assert opened.status_code == httpx.codes.SEE_OTHER, opened.text
        assert opened.headers["location"] == "/my"
        yield Visit(http)
