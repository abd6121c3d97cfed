"""An editor looks at the domains whose addresses died all at once, and says whether they are dead (RULES F4)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlmodel import select

from newsletter.clock import TurnedClock
from newsletter.editors.audit.actions import Act
from newsletter.editors.audit.tables import AuditEntry
from newsletter.installation import Installation
from tests.bounces.coming_back import alive, bury, sent_with_dead, signals
from tests.delivery.cast import people
from tests.journeys.story import hidden_fields
from tests.support.peer import SmtpPeer
from tests.web.site import Site, running_site

SMALL = people(4, "small.example.org")
PAGE = "/console/returned"


@pytest.fixture
async def site(installation: Installation, clock: TurnedClock, peer: SmtpPeer) -> AsyncIterator[Site]:
    """Give a site where all of a small domain are in quarantine."""
    async with running_site(installation) as opened:
        await sent_with_dead(opened.installation, peer, [*people(20), *SMALL], *SMALL)
        assert await bury(opened.installation) == 0
        yield opened


async def decide(site: Site, verdict: str) -> httpx.Response:
    """Press a button on the page of returned mail."""
    shown = await site.browser.get(PAGE)
    assert "small.example.org" in shown.text
    (action,) = {
        part.split('"')[0] for part in shown.text.split('action="') if part.split('"')[0].endswith(f"/{verdict}")
    }
    return await site.browser.post(action, data=hidden_fields(shown.text), follow_redirects=False)


async def noted(site: Site, act: Act) -> list[int | None]:
    """Give of how many people the audit trail tells that this was done to them."""
    async with site.installation.database.read() as session:
        return list((await session.exec(select(AuditEntry.count).where(AuditEntry.act == act))).all())


async def test_nobody_but_an_editor_sees_or_decides(site: Site) -> None:
    shown = await site.browser.get(PAGE, follow_redirects=False)
    assert shown.status_code in (httpx.codes.FOUND, httpx.codes.SEE_OTHER)
    pressed = await site.browser.post(f"{PAGE}/{'a' * 64}/confirm", follow_redirects=False)
    assert pressed.status_code in (httpx.codes.FORBIDDEN, httpx.codes.SEE_OTHER)
    assert set(SMALL) <= await alive(site.installation)


async def test_the_dead_are_deleted_when_an_editor_says_so(site: Site, clock: TurnedClock) -> None:
    await site.sign_in()
    assert (await decide(site, "confirm")).status_code == httpx.codes.SEE_OTHER
    assert "Being deleted" in (await site.browser.get(PAGE)).text
    assert await bury(site.installation) == len(SMALL)
    assert await alive(site.installation) == set(people(20))
    assert await noted(site, Act.RETURNED_MAIL_CONFIRMED) == [len(SMALL)]
    assert "All is well" in (await site.browser.get(PAGE)).text


async def test_the_living_are_mailed_again_when_an_editor_says_so(site: Site, clock: TurnedClock) -> None:
    await site.sign_in()
    assert (await decide(site, "release")).status_code == httpx.codes.SEE_OTHER
    clock.turn(clock.now() + timedelta(hours=2))
    assert await bury(site.installation) == 0
    assert not await signals(site.installation)
    assert await alive(site.installation) == {*people(20), *SMALL}
    assert await noted(site, Act.RETURNED_MAIL_RELEASED) == [len(SMALL)]


async def test_an_invented_domain_is_not_found(site: Site) -> None:
    await site.sign_in()
    shown = await site.browser.get(PAGE)
    answer = await site.browser.post(f"{PAGE}/nonsense/confirm", data=hidden_fields(shown.text), follow_redirects=False)
    assert answer.status_code == httpx.codes.NOT_FOUND
