"""An editor looks at the pace, on a phone and at a desk."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from newsletter.clock import SystemClock
from newsletter.delivery import ledger
from newsletter.delivery.pace import actions as paces
from newsletter.delivery.pace.slowing import Tally
from newsletter.installation import open_installation
from newsletter.settings import load
from tests.journeys.at_the_console import sign_in
from tests.journeys.camera import Camera, listen
from tests.journeys.story import Company, open_company
from tests.support.peer import SmtpPeer
from tests.support.program import Program

SENDER = "news.example.com"


@pytest.fixture
def company(tmp_path: Path, peer: SmtpPeer) -> Iterator[Company]:
    """Give a company that has set everything there is to set about the pace."""
    first_day = SystemClock().now().date() - timedelta(3)
    program = Program(
        tmp_path / "program",
        f"{peer.url}?connections=4 smtp+starttls://kari:hunter2@mail2.example.com?messages=100&rate=50",
        relays="example.org=smtps://mail3.example.com",
        domain_pace="gmail.com,googlemail.com=20/s 8; outlook.com,hotmail.com=300/m 4; *=50/s",
        hourly_limit="20000",
        warm_up=f"{SENDER}={first_day} 50 10000",
    )
    with program as running:
        yield open_company(running)


async def test_the_pace_can_be_looked_at(company: Company, page: Page, camera: Camera) -> None:
    errors = listen(page)
    await slow_down(company.program)
    await sign_in(page, company.program.base_url)
    await page.get_by_role("link", name="Pace").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Pace")
    await expect(page.get_by_role("row", name="gmail.com")).to_have_count(2)
    await camera.look(page, "console-pace")
    assert errors == []


async def slow_down(program: Program) -> None:
    """Let the program meet domains that are in trouble, and use a part of a day."""
    installation = open_installation(load(program.environment))
    try:
        async with installation.database.write() as session:
            now = await ledger.now(session)
            tallies = {
                "gmail.com": Tally(closing=1),
                "hotmail.com": Tally(deferred=9),
                "kari.example": Tally(closing=1),
            }
            tallies |= {f"{number}.example": Tally(delivered=9) for number in range(9)}
            await paces.note(session, installation, SENDER, tallies, now)
            for day, used in enumerate((50, 97, 200, 123)):
                await paces.grant(session, installation, SENDER, {"example.com": used}, now - (3 - day) * 86400)
    finally:
        await installation.database.close()
