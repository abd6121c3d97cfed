"""Opening and clicking over HTTP: GET counts, HEAD never does, and nothing leads where it should not (P5, D3)."""

from collections.abc import AsyncIterator

import httpx
import pytest

from newsletter.figures.actions import Figures, figures_of
from newsletter.installation import Installation
from newsletter.measurement.links import click_token, open_token
from newsletter.measurement.pages import PIXEL
from newsletter.tokens import new_nonce
from tests.delivery.cast import begin, people, subscribe
from tests.web.site import Site, running_site

NONCE = new_nonce()


class Reader:
    """Somebody with a mail of an issue."""

    def __init__(self, site: Site, issue_id: str) -> None:
        self._site = site
        self._keys = site.installation.keys
        self.issue_id = issue_id

    @property
    def pixel(self) -> str:
        """Give the path of the pixel."""
        return f"/open/{open_token(self._keys, self.issue_id, NONCE)}.gif"

    def link(self, number: int) -> str:
        """Give the path of a link."""
        return f"/click/{click_token(open_token(self._keys, self.issue_id, NONCE), number)}"

    async def ask(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Ask for a path."""
        return await self._site.browser.request(method, path, headers=headers, follow_redirects=False)

    async def figures(self) -> Figures:
        """Give the figures, once what waits is written."""
        await self._site.app.state.counting.write()
        async with self._site.installation.database.read() as session:
            return await figures_of(session, self.issue_id)


@pytest.fixture
async def reader(sqlite_installation: Installation) -> AsyncIterator[Reader]:
    async with running_site(sqlite_installation) as site:
        await subscribe(site.installation, site.newsletter, people(3))
        mailing = await begin(site.installation, site.newsletter)
        yield Reader(site, mailing.issue_id)


async def test_an_open_is_counted_and_the_pixel_is_never_kept(reader: Reader) -> None:
    answer = await reader.ask(reader.pixel)
    assert (answer.content, answer.headers["content-type"]) == (PIXEL, "image/gif")
    assert "no-store" in answer.headers["cache-control"]
    assert "set-cookie" not in answer.headers
    assert (await reader.figures()).opens.total == 1


async def test_a_click_is_counted_and_leads_on(reader: Reader) -> None:
    answer = await reader.ask(reader.link(1))
    assert (answer.status_code, answer.headers["location"]) == (httpx.codes.FOUND, "https://example.com/other")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert (await reader.figures()).clicks.total == 1


async def test_head_answers_alike_and_never_counts(reader: Reader) -> None:
    assert (await reader.ask(reader.pixel, "HEAD")).status_code == httpx.codes.OK
    assert (await reader.ask(reader.link(0), "HEAD")).headers["location"] == "https://example.com/story"
    found = await reader.figures()
    assert (found.opens.total, found.clicks.total, found.opens.machine) == (0, 0, 0)


@pytest.mark.parametrize("path", ["/open/nonsense.gif", "/open/AAAA", "/open/.gif"])
async def test_a_forged_pixel_is_a_picture_that_counts_nothing(reader: Reader, path: str) -> None:
    """RULES D3: a mail never shows a broken picture."""
    assert (await reader.ask(path)).content == PIXEL
    forged = reader.pixel.replace(".gif", "A.gif")
    assert (await reader.ask(forged)).content == PIXEL
    assert (await reader.figures()).opens.total == 0


async def test_there_is_no_open_redirect(reader: Reader) -> None:
    elsewhere = "https://mallory.example.net/"
    for path in (
        f"/click/{elsewhere}",
        "/click/nonsense",
        f"/click/nonsense?url={elsewhere}",
        reader.link(7),
        reader.link(0)[:-1],
        reader.link(0).replace("/click/", "/click/A"),
    ):
        answer = await reader.ask(path)
        assert answer.status_code == httpx.codes.NOT_FOUND, path
        assert "location" not in answer.headers
    led = await reader.ask(f"{reader.link(0)}?url={elsewhere}")
    assert led.headers["location"] == "https://example.com/story"
    assert (await reader.figures()).clicks.total == 1


async def test_a_scanner_is_counted_apart(reader: Reader) -> None:
    await reader.ask(reader.pixel, **{"user-agent": "Mimecast URL Protect"})
    await reader.ask(reader.link(0), **{"user-agent": "Mimecast URL Protect"})
    found = await reader.figures()
    assert (found.opens.total, found.opens.machine, found.clicks.total) == (0, 1, 0)


async def test_hits_that_wait_are_written_when_the_program_stops(sqlite_installation: Installation) -> None:
    async with running_site(sqlite_installation) as site:
        await subscribe(site.installation, site.newsletter, people(3))
        mailing = await begin(site.installation, site.newsletter)
        for _ in range(5):
            await Reader(site, mailing.issue_id).ask(Reader(site, mailing.issue_id).pixel)
    async with sqlite_installation.database.read() as session:
        opens = (await figures_of(session, mailing.issue_id)).opens
    assert (opens.total, opens.unique) == (5, 1)
