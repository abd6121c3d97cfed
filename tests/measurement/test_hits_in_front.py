"""Most hits are answered in front of the app: alike, counted alike, and without asking the database."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import event
from sqlmodel import col, delete, update

from newsletter.clock import TurnedClock
from newsletter.figures.actions import figures_of
from newsletter.installation import Installation
from newsletter.issues.tables import Issue, IssueLink
from newsletter.measurement.counting import Counting
from newsletter.measurement.links import OPEN, Hit, click_token, open_token
from newsletter.measurement.rules import Verdict
from newsletter.measurement.targets import KEPT_SECONDS
from newsletter.tokens import new_nonce
from tests.delivery.cast import begin, mailing_to, people, subscribe
from tests.web.site import Site, running_site

# More than one second brings in practice, and more than one statement's worth of marks.
FLOOD = 12_000


class Reader:
    """Somebody who has a mail of an issue, and clicks."""

    def __init__(self, site: Site, issue_id: str) -> None:
        self._site = site
        self.issue_id = issue_id
        self._opened = open_token(site.installation.keys, issue_id, new_nonce())

    async def click(self, number: int = 0, method: str = "GET") -> httpx.Response:
        """Follow a link."""
        path = f"/click/{click_token(self._opened, number)}"
        return await self._site.browser.request(method, path, follow_redirects=False)

    async def pixel(self, ending: str) -> httpx.Response:
        """Ask for the pixel; with "/" behind it the app answers, else what is in front of it."""
        return await self._site.browser.get(f"/open/{self._opened}.gif{ending}")


@pytest.fixture
async def site(sqlite_installation: Installation) -> AsyncIterator[Site]:
    async with running_site(sqlite_installation) as opened:
        await subscribe(opened.installation, opened.newsletter, people(3))
        yield opened


@pytest.fixture
async def reader(site: Site) -> Reader:
    return Reader(site, (await begin(site.installation, site.newsletter)).issue_id)


async def test_whoever_answers_the_answer_is_the_same(reader: Reader) -> None:
    looked_up = await reader.click()
    for method in ("GET", "HEAD"):
        kept = await reader.click(method=method)
        assert (kept.status_code, dict(kept.headers)) == (looked_up.status_code, dict(looked_up.headers))
    by_the_app, in_front = await reader.pixel("/"), await reader.pixel("")
    assert (in_front.content, dict(in_front.headers)) == (by_the_app.content, dict(by_the_app.headers))


async def test_only_the_first_click_asks_the_database(site: Site, reader: Reader) -> None:
    await reader.click()
    said: list[str] = []
    engine = site.app.state.installation.database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    assert {(await reader.click(number)).status_code for number in (0, 1)} == {httpx.codes.FOUND}
    assert said == []
    await site.app.state.counting.write()
    assert said


async def test_the_links_of_a_deleted_issue_soon_lead_nowhere(site: Site, reader: Reader, clock: TurnedClock) -> None:
    await reader.click()
    async with site.installation.database.write() as session:
        await session.execute(delete(Issue).where(col(Issue.id) == reader.issue_id))
    clock.turn(clock.now() + timedelta(seconds=KEPT_SECONDS))
    assert (await reader.click()).status_code == httpx.codes.NOT_FOUND
    await site.app.state.counting.write()


async def test_a_link_with_letters_beyond_ascii_is_one_that_a_header_can_hold(site: Site, reader: Reader) -> None:
    async with site.installation.database.write() as session:
        await session.execute(update(IssueLink).values(url="https://example.com/blåbær?a=%20&b=π"))
    answers = [await reader.click(), await reader.click()]
    assert {answer.headers["location"] for answer in answers} == {"https://example.com/bl%C3%A5b%C3%A6r?a=%20&b=%CF%80"}


async def test_a_flood_is_counted_to_the_last_hit(installation: Installation) -> None:
    mailing = await mailing_to(installation, people(3))
    counting = Counting(installation.database, installation.clock)
    nonces = [new_nonce() for _ in range(FLOOD // 2)]
    for nonce in nonces + nonces:
        counting.add(Hit(mailing.issue_id, nonce, OPEN), Verdict.HUMAN)
    await counting.write()
    async with installation.database.read() as session:
        opens = (await figures_of(session, mailing.issue_id)).opens
    assert (opens.total, opens.unique) == (FLOOD, FLOOD // 2)
