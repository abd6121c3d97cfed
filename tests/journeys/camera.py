"""Looking at a page as its visitors do: on a phone and on a desk, in light and in dark, and by ear (axe)."""

import os
from pathlib import Path

from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # no types
from playwright.async_api import Page

KEEP = "NEWSLETTER_SCREENSHOTS"
WIDTHS = {"phone": 390, "desktop": 1280}


class Camera:
    """Photographs pages into a folder: the test's own, or the one that NEWSLETTER_SCREENSHOTS names."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(os.environ.get(KEEP) or folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    async def look(self, page: Page, name: str) -> None:
        """Take the page's pictures, and assert that it fits its screen and that axe has nothing to say."""
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme="light" if scheme == "light" else "dark", reduced_motion="reduce")
            for screen, width in WIDTHS.items():
                await page.set_viewport_size({"width": width, "height": 844})
                await page.screenshot(path=self._folder / f"{name}-{screen}-{scheme}.png", full_page=True)
                wide = await page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{name} is {wide} px wide on a screen of {width}"
            found = await Axe().run(page)
            assert found.violations_count == 0, f"{name}, {scheme}: {found.generate_report()}"


def listen(page: Page) -> list[str]:
    """Give the list that errors of the page's console are put into. A form that was refused (422) is none."""
    errors: list[str] = []
    page.on(
        "console",
        lambda said: errors.append(said.text) if said.type == "error" and "status of 4" not in said.text else None,
    )
    return errors
