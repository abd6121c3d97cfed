"""What the figures show, and what they keep back so that no number is a name (RULES D5)."""

from datetime import timedelta

import httpx
import pytest

from newsletter.clock import TurnedClock
from newsletter.delivery.tables import Mailing
from newsletter.figures.actions import SMALL_GROUP, bars, figures_of, over_time
from newsletter.figures.charts import Slot
from newsletter.installation import Installation
from newsletter.measurement.counting import Counting
from newsletter.measurement.links import OPEN, Hit
from newsletter.measurement.rules import Verdict
from newsletter.tokens import new_nonce
from tests.delivery.cast import begin, finish, mailing_to, people, send, subscribe
from tests.support.peer import SmtpPeer
from tests.web.site import running_site

HOUR = timedelta(hours=1)


async def read(installation: Installation, mailing: Mailing, *links: int) -> None:
    counting = Counting(installation.database, installation.clock)
    for link in links:
        counting.add(Hit(mailing.issue_id, new_nonce(), link), Verdict.HUMAN)
    await counting.write()


async def sent(installation: Installation, peer: SmtpPeer, count: int) -> Mailing:
    mailing = await mailing_to(installation, people(count))
    await send(installation, peer, mailing)
    await finish(installation)
    return mailing


async def slots(installation: Installation, mailing: Mailing, language: str = "en") -> list[Slot]:
    async with installation.database.read() as session:
        return await over_time(session, installation.clock, mailing.issue_id, language)


async def test_a_draft_has_no_figures(installation: Installation) -> None:
    async with installation.database.read() as session:
        found = await figures_of(session, "a" * 26)
    assert (found.sent, found.delivered, found.opens.total, found.clicks.total) == (0, 0, 0, 0)


async def test_sent_delivered_and_refused(installation: Installation, peer: SmtpPeer) -> None:
    peer.refuse("reader001@example.com", "550 5.7.1 no")
    peer.hang_up("reader002@example.com", stage="END")
    mailing = await sent(installation, peer, 10)
    async with installation.database.read() as session:
        found = await figures_of(session, mailing.issue_id)
    assert (found.sent, found.delivered, found.refused) == (10, 8, 1)


async def test_an_hour_is_shown_once_it_is_over(installation: Installation, clock: TurnedClock, peer: SmtpPeer) -> None:
    mailing = await sent(installation, peer, SMALL_GROUP)
    await read(installation, mailing, OPEN, OPEN, 0)
    assert await slots(installation, mailing) == []
    clock.turn(clock.now() + HOUR)
    assert [(slot.opens, slot.clicks) for slot in await slots(installation, mailing)] == [(2, 1)]


async def test_quiet_hours_are_shown_as_quiet(installation: Installation, clock: TurnedClock, peer: SmtpPeer) -> None:
    mailing = await sent(installation, peer, SMALL_GROUP)
    await read(installation, mailing, OPEN)
    clock.turn(clock.now() + 3 * HOUR)
    await read(installation, mailing, 1)
    clock.turn(clock.now() + HOUR)
    found = await slots(installation, mailing)
    assert [(slot.opens, slot.clicks) for slot in found] == [(1, 0), (0, 0), (0, 0), (0, 1)]
    assert len({slot.label for slot in found}) == 4
    assert "09:00" in found[0].label
    assert "Nov" in found[0].label
    assert "nov" in (await slots(installation, mailing, "nb"))[0].label


@pytest.mark.parametrize(("readers", "shown"), [(SMALL_GROUP - 1, False), (SMALL_GROUP, True)])
async def test_a_small_group_is_shown_as_totals_only(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer, readers: int, *, shown: bool
) -> None:
    """RULES D5: under twenty, a link or an hour is a name. On the page, in its pictures and in the API."""
    async with running_site(sqlite_installation) as site:
        installation = site.installation
        await subscribe(installation, site.newsletter, people(readers))
        mailing = await begin(installation, site.newsletter)
        await send(installation, peer, mailing)
        await finish(installation)
        await read(installation, mailing, OPEN, 0)
        clock.turn(clock.now() + 2 * HOUR)
        async with installation.database.read() as session:
            found = await figures_of(session, mailing.issue_id)
        assert (found.opens.total, found.clicks.total, found.small_group) == (1, 1, not shown)
        assert bool(bars(found)) is shown
        await site.sign_in()
        page = await site.browser.get(f"/console/issues/{mailing.issue_id}/figures")
        assert page.status_code == httpx.codes.OK
        assert ("https://example.com/story" in page.text) is shown
        assert ("<svg" in page.text) is shown
        answer = (await site.api("GET", f"/issues/{mailing.issue_id}/figures")).json()
        assert bool(answer["clicks"]["links"]) is shown
