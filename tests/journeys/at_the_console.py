"""How the journeys' editor comes into the console."""

from playwright.async_api import Page, expect

from tests.journeys.story import EDITOR, PASSWORD


async def sign_in(page: Page, base_url: str) -> None:
    """Sign in by the form, and come to the newsletters."""
    await page.goto(f"{base_url}/console/")
    await page.get_by_label("E-mail address").fill(EDITOR)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Newsletters")
