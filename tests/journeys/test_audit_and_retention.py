"""An editor looks at who did what, and at what is kept for how long."""

import asyncio

from playwright.async_api import Page, expect

from tests.journeys.at_the_console import sign_in
from tests.journeys.camera import Camera, listen
from tests.journeys.story import SLUG, Company


async def test_an_editor_looks_at_the_trail_and_at_retention(
    sqlite_company: Company, page: Page, camera: Camera
) -> None:
    await asyncio.to_thread(sqlite_company.readers, 3)
    errors, base = listen(page), sqlite_company.program.base_url
    await sign_in(page, base)
    await page.goto(f"{base}/console/newsletters/{SLUG}/subscribers")
    await page.get_by_label("Search by address or name").fill("reader1@")
    await page.get_by_role("button", name="Search").click()

    await page.get_by_role("link", name="Audit").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Audit trail")
    await expect(page.get_by_role("row", name="Subscribers searched")).to_have_count(1)
    await camera.look(page, "console-audit")
    await page.get_by_label("What").select_option("Signed in")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.get_by_role("row", name="Olga")).to_have_count(1)
    await page.get_by_label("Id", exact=True).fill("kari@example.com")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("26 letters")
    await camera.look(page, "console-audit-refused")

    await page.get_by_role("link", name="Retention").click()
    await page.get_by_role("button", name="Try it").click()
    # What was counted of their own sign-in is over already.
    await expect(page.get_by_role("status")).to_contain_text("nothing was purged now")
    await page.get_by_role("button", name="Purge what is over now").click()
    await expect(page.get_by_role("status")).to_contain_text("Purged")
    await camera.look(page, "console-retention")
    assert errors == []
