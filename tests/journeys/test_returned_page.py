"""An editor looks at what came back, on a phone and at a desk, and says that a domain's addresses live."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import func
from sqlmodel import select

from newsletter.bounces.reading.verdicts import Verdict
from newsletter.bounces.reports.actions import take
from newsletter.bounces.reports.tables import CameBack, Report
from newsletter.clock import day_of
from newsletter.delivery.return_address import read
from newsletter.installation import Installation, open_installation
from newsletter.newsletters.actions import by_slug
from newsletter.settings import load
from newsletter.subscribers.tables import DeadSignal
from tests.bounces.coming_back import CAROL, UNKNOWN, report, return_address
from tests.delivery.cast import people, subscribe
from tests.journeys.at_the_console import sign_in
from tests.journeys.camera import Camera, listen
from tests.journeys.story import SLUG, Company, open_company
from tests.support.peer import SmtpPeer
from tests.support.program import Program
from tests.support.waiting import eventually_async

BOUNCES = "bounces.example.com"
SMALL = people(4, "small.example.org")
READERS = people(24)
UNSIGNED = "550 5.7.26 this mail is unauthenticated"
REPLIES = {
    READERS[1]: (UNKNOWN, "5.1.1"),
    READERS[2]: ("552 5.2.2 The mailbox is full", "5.2.2"),
    READERS[3]: ("550 5.7.1 Message rejected as spam", "5.7.1"),
    READERS[4]: ("550 5.2.1 Mailbox disabled", "5.2.1"),
    CAROL: (UNKNOWN, "5.1.1"),
}


@pytest.fixture
def company(tmp_path: Path, peer: SmtpPeer) -> Iterator[Company]:
    """Give a company that hears of its bounces."""
    with Program(
        tmp_path / "program", peer.url, smtp_connections="2", bounce_domain=BOUNCES, inbound_listen="off"
    ) as running:
        yield open_company(running)


@asynccontextmanager
async def beside(company: Company) -> AsyncIterator[Installation]:
    """Give the program's installation, beside the program."""
    installation = open_installation(load(company.program.environment))
    try:
        yield installation
    finally:
        await installation.database.close()


async def test_what_came_back_can_be_looked_at(company: Company, page: Page, peer: SmtpPeer, camera: Camera) -> None:
    errors = listen(page)
    base = company.program.base_url
    await sign_in(page, base)
    await page.get_by_role("link", name="Returned mail").click()
    await expect(page.get_by_text("All is well")).to_be_visible()
    await camera.look(page, "returned-empty")

    async with beside(company) as installation:
        await lived(installation)
        async with installation.database.read() as session:
            weekly = await by_slug(session, SLUG)
        await subscribe(installation, weekly, [*READERS, *SMALL, CAROL])
        for email in SMALL:
            peer.refuse(email)
        issue = company.write_and_send()
        company.finished(issue)
        await come_back(installation, peer)
        await page.goto(f"{base}/console/issues/{issue}/mailing")
        await page.get_by_role("link", name="See why").click()
        await expect(page.get_by_text("The address does not exist")).to_be_visible()
        await expect(page.get_by_text("failed, 5.2.2")).to_be_visible()
        await camera.look(page, "returned-of-issue")
        paused = await paused_by_alarms(company, installation, peer)
        await page.goto(f"{base}/console/issues/{paused}/mailing")
        await expect(page.get_by_text("It has stopped by itself.")).to_be_visible()
        await page.get_by_role("link", name="What came back").click()
        await expect(page.get_by_text("The mailing has stopped by itself.")).to_be_visible()
        await camera.look(page, "returned-paused")
        await page.get_by_role("link", name="Returned mail").click()
        await expect(page.get_by_role("alert")).to_contain_text("code 5.7.26")
        await page.get_by_text("The same as a table").click()
        await camera.look(page, "returned")
        await page.get_by_role("button", name="Seen").click()
        await expect(page.get_by_text("No other has come since.")).to_be_visible()
        await expect(page.get_by_role("alert")).to_have_count(0)
        await page.get_by_role("button", name="They are alive: keep them").click()
        await expect(page.get_by_text("small.example.org")).to_have_count(0)
        async with installation.database.read() as session:
            left = (await session.exec(select(DeadSignal.domain_tag))).all()
        assert len(left) == 2, "those of the others stay on hold"
    assert errors == []


async def lived(installation: Installation) -> None:
    """Let the program have a past."""
    today = day_of(installation.clock.now())
    some: Sequence[tuple[str, Verdict, str, int]] = [
        ("gmail.com", Verdict.DEAD, "5.1.1", 7),
        ("gmail.com", Verdict.MAILBOX_FULL, "5.2.2", 4),
        ("outlook.com", Verdict.POLICY, "5.7.1", 5),
        ("outlook.com", Verdict.COMPLAINT, "", 1),
        ("", Verdict.DEAD_IF_REPEATED, "5.1.2", 2),
        ("", Verdict.AUTOMATIC, "", 3),
    ]
    async with installation.database.write() as session:
        for ago in range(1, 30):
            for place, (domain, verdict, code, most) in enumerate(some):
                if number := (ago * 7 + place * 5) % (most + 1):
                    day = today - timedelta(days=ago)
                    row = CameBack(mailing_id="", day=day, domain=domain, verdict=verdict, code=code, at_once=False)
                    row.count = number
                    session.add(row)


async def come_back(installation: Installation, peer: SmtpPeer) -> None:
    """Let some of the last issue come back, one of it twice, and let a stranger forge one; wait for what follows."""
    for email, (diagnostic, status) in REPLIES.items():
        async with installation.database.write() as session:
            await take(
                session, installation, report(email, diagnostic, status), return_address(peer, email), "listener"
            )
    forged = f"b-{'a' * 50}@{BOUNCES}"
    assert read(installation.keys, BOUNCES, forged, installation.clock.now())
    async with installation.database.write() as session:
        await take(session, installation, report(), forged, "mailbox")

    async def settled() -> bool:
        async with installation.database.read() as session:
            query = select(func.count()).select_from(Report).where(Report.state == "settled")
            number: int = (await session.exec(query)).one()
        return number == len(REPLIES)

    await eventually_async(settled, what="what follows from the reports")


async def paused_by_alarms(company: Company, installation: Installation, peer: SmtpPeer) -> str:
    """Send an issue that most of its receivers refuse for what we do wrong; give its id."""
    for email in READERS:
        peer.refuse(email, UNSIGNED, stage="END")
    # So many that it hears of enough, and not so many that it is over before it stops itself.
    peer.halt(after=18)
    issue = company.write_and_send("Vinterens bøker")

    async def paused() -> bool:
        return bool(company.mailing(issue)["state"] == "paused")

    await eventually_async(paused, what="the mailing's pausing itself")
    peer.go_on()
    return issue
