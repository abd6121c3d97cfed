"""An alarm is loud until somebody has seen it, and again when the next of its kind comes."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlmodel import select

from newsletter.bounces import came_back
from newsletter.bounces.came_back import Back
from newsletter.bounces.reading.verdicts import Verdict
from newsletter.clock import TurnedClock
from newsletter.editors import keys
from newsletter.editors.audit.actions import Act
from newsletter.editors.audit.tables import AuditEntry
from newsletter.installation import Installation
from tests.journeys.story import hidden_fields
from tests.web.site import Site, running_site

PAGE, SEEN = "/console/returned", "/console/returned/alarms/seen"
LOUD = 'role="alert"'


@pytest.fixture
async def site(installation: Installation) -> AsyncIterator[Site]:
    async with running_site(installation) as opened:
        await opened.sign_in()
        yield opened


async def refused(site: Site, number: int, code: str = "5.7.26") -> None:
    """Let some letters be refused for what we do wrong."""
    async with site.installation.database.write() as session:
        await came_back.count(session, site.installation, [Back(None, None, Verdict.ALARM, code)] * number)


async def shown(site: Site) -> str:
    return " ".join((await site.browser.get(PAGE)).text.split())


async def acts(site: Site) -> list[int | None]:
    async with site.installation.database.read() as session:
        query = select(AuditEntry.count).where(AuditEntry.act == Act.ALARM_SEEN).order_by(AuditEntry.id)
        return list((await session.exec(query)).all())


async def test_it_is_quiet_once_seen_and_loud_with_the_next_of_its_kind(site: Site, clock: TurnedClock) -> None:
    await refused(site, 3)
    page = await shown(site)
    assert f"{LOUD}> <p><strong>3 refused through a fault of ours, code 5.7.26." in page
    before = hidden_fields(page)
    for _ in range(2):
        assert (await site.browser.post(SEEN, data=before, follow_redirects=False)).status_code == 303
    quiet = await shown(site)
    assert LOUD not in quiet
    assert "Seen by Olga, 2 Nov 2026, 09:00 UTC. No other has come since." in quiet
    assert "All is well" not in quiet
    assert await acts(site) == [3], "the second time it was no news"
    clock.turn(clock.now() + timedelta(days=1))
    await site.sign_in()
    await refused(site, 1)
    again = await shown(site)
    assert f"{LOUD}> <p><strong>4 refused through a fault of ours, code 5.7.26." in again
    assert "One has come since Olga saw the others, 2 Nov 2026, 09:00 UTC." in again
    clock.turn(clock.now() + timedelta(days=7))
    await site.sign_in()
    assert "fault of ours" not in await shown(site)


async def test_only_what_was_shown_is_seen_and_only_of_that_kind(site: Site) -> None:
    await refused(site, 3)
    fields = hidden_fields(await shown(site))
    await refused(site, 2)
    await refused(site, 1, "5.1.8")
    await site.browser.post(SEEN, data=fields)
    page = await shown(site)
    assert page.count(LOUD) == 2
    assert "2 have come since Olga saw the others" in page
    older = fields | {"up_to": fields["up_to"].replace(".3", ".1")}
    await site.browser.post(SEEN, data=older)
    assert "2 have come since" in await shown(site), "what is seen stays seen"


async def test_what_is_no_place_in_the_list_is_told_in_a_sentence(sqlite_installation: Installation) -> None:
    async with running_site(sqlite_installation) as site:
        await site.sign_in()
        await refused(site, 3)
        for up_to in ("", "2026-11-02", "2026-99-99.3", "2026-11-02.0", "2026-11-02.-1", "9" * 40):
            answer = await site.post_form(PAGE, SEEN, code="5.7.26", up_to=up_to)
            assert answer.status_code == 422
            assert "Say up to where they were seen" in answer.text
        assert (await site.post_form(PAGE, SEEN, code="5.1.8")).status_code == 404
        assert LOUD in await shown(site)


async def test_programs_see_them_too(site: Site) -> None:
    await refused(site, 3)
    (alarm,) = (await site.api("GET", "/returned")).json()["alarms"]
    assert (alarm["count"], alarm["fresh"], alarm["seen_at"]) == (3, 3, None)
    path, seen = "/returned/alarms/seen", {"code": alarm["code"], "up_to": alarm["up_to"]}
    async with site.installation.database.write() as session:
        reader = await keys.create(session, site.installation.clock, "reader", ["figures"])
    assert (await site.api("POST", path, seen, key=reader)).status_code == 403
    assert (await site.api("POST", path, seen | {"code": "5.1.8"})).status_code == 404
    assert (await site.api("POST", path, seen | {"up_to": "tomorrow"})).status_code == 422
    # Nobody sees what has not come yet.
    assert (await site.api("POST", path, seen | {"up_to": "2100-01-01.9000"})).json() == {"seen": 3}
    assert (await site.api("POST", path, seen)).json() == {"seen": 0}
    await refused(site, 1)
    (alarm,) = (await site.api("GET", "/returned")).json()["alarms"]
    assert (alarm["count"], alarm["fresh"]) == (4, 1)
    assert "Seen by" not in await shown(site)
    assert "One has come since API key test saw the others" in await shown(site)
    assert await acts(site) == [3]
