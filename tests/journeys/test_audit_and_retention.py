"""An editor looks at who did what, and at what is kept for how long."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.journeys.camera import Camera, listen
from tests.journeys.story import EDITOR, PASSWORD, SLUG, Company, open_company
from tests.support.program import Program


@pytest.fixture
def company(sqlite_program: Program) -> Company:
    return open_company(sqlite_program)


async def test_an_editor_looks_at_the_trail_and_at_retention(company: Company, page: Page, tmp_path: Path) -> None:
    await asyncio.to_thread(company.readers, 3)
    errors, camera, base = listen(page), Camera(tmp_path / "screenshots"), company.program.base_url
    await page.goto(f"{base}/console/")
    await page.get_by_label("E-mail address").fill(EDITOR)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
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
    await expect(page.get_by_role("status")).to_contain_text("Would purge 0")
    await page.get_by_role("button", name="Purge what is over now").click()
    await expect(page.get_by_role("status")).to_contain_text("Purged")
    await camera.look(page, "console-retention")
    assert errors == []
