"""Whoever tries the product sends the draft, and sees what comes back: one is buried, and nobody else is (RULES F)."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from newsletter.demo.replies import AWAY, FULL, MOVED
from tests.demo.demonstration import Demonstration, running_demonstration
from tests.journeys.camera import Camera, listen
from tests.support.waiting import eventually_async

EVERYBODY = 40
HOLD_SECONDS = 8
SUBSCRIBERS = "/console/newsletters/fjordbrevet/subscribers"


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[Demonstration]:
    with running_demonstration(tmp_path, HOLD_SECONDS) as running:
        yield running


async def test_what_comes_back_of_the_first_issue(demonstration: Demonstration, page: Page, tmp_path: Path) -> None:
    errors, camera = listen(page), Camera(tmp_path / "screenshots")
    await sign_in(page, demonstration)
    await send_the_draft(page)

    await page.get_by_role("link", name="What came back").click()
    await page.wait_for_url("**/issues/*/returned")
    await until(page, lambda: tells(page, "Dead", "Full", "Automatic answer"))
    assert await tile(page, "Did not arrive") == "2", "an answer from a holiday is no bounce"
    assert await tile(page, "Delivered to the relay") == str(EVERYBODY)
    await camera.look(page, "demo-issue-returned")
    await page.get_by_role("link", name="Returned mail").click()
    await page.wait_for_url("**/console/returned")
    assert await tells(page, "Dead", "Full", "Automatic answer")
    await expect(page.get_by_role("region", name="By domain")).to_contain_text("example.com")
    await camera.look(page, "demo-returned")

    await page.goto(demonstration.base_url + SUBSCRIBERS)
    await until(page, lambda: has_so_many(page, EVERYBODY - 1))
    for reader in (FULL, AWAY):
        await search(page, reader)
        await expect(page.locator("th.address")).to_have_text([reader])
    await search(page, MOVED)
    await expect(page.get_by_text("Nobody matches this search.")).to_be_visible()
    await camera.look(page, "demo-subscribers")
    await page.goto(f"{demonstration.base_url}/demo/inbox")
    await expect(page.locator(".mails li")).to_have_count(EVERYBODY)
    await camera.look(page, "demo-inbox")

    assert all(reader in demonstration.printed for reader in (MOVED, FULL, AWAY))
    assert demonstration.stop() == 0
    assert "Traceback" not in demonstration.printed
    assert '"level": "error"' not in demonstration.printed
    assert not list(tmp_path.glob("newsletter-demo-*")), "nothing is kept"
    assert errors == []


async def sign_in(page: Page, demonstration: Demonstration) -> None:
    await page.goto(f"{demonstration.base_url}/console/")
    await page.get_by_label("E-mail address").fill("editor@example.com")
    await page.get_by_label("Password").fill("only-for-the-demo")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Newsletters")


async def send_the_draft(page: Page) -> None:
    """Send it, and wait until everybody has it."""
    await page.get_by_role("link", name="Fjordbrevet").first.click()
    await page.get_by_role("link", name="Issues").first.click()
    await page.get_by_role("link", name="Havørna er tilbake").first.click()
    await page.get_by_role("button", name="Save and go on to sending").click()
    await page.get_by_role("button", name=f"Send to {EVERYBODY} subscribers").click()
    await expect(page.locator("#progress")).to_contain_text("Finished", timeout=60_000)
    await expect(page.locator("#progress .share")).to_contain_text(f"{EVERYBODY} of {EVERYBODY}")


async def until(page: Page, probe: Callable[[], Awaitable[bool]]) -> None:
    """Look at the page anew until it shows what it should."""

    async def looked() -> bool:
        await page.reload()
        return await probe()

    await eventually_async(looked, timeout=60, what="what the page should show")


async def tells(page: Page, *verdicts: str) -> bool:
    """Say whether these, and no others, are what happened."""
    return await page.get_by_role("region", name="What happened").locator("tbody th").all_inner_texts() == [*verdicts]


async def tile(page: Page, name: str) -> str:
    """Give the number in the tile of that name."""
    said = await page.locator(".tiles > div").filter(has_text=name).locator("dd").inner_text()
    return said.split()[0]


async def has_so_many(page: Page, number: int) -> bool:
    return await tile(page, "Active") == str(number)


async def search(page: Page, email: str) -> None:
    await page.get_by_label("Search by address or name").fill(email)
    await page.get_by_role("button", name="Search").click()
