"""The browser's page tells when it misbehaves, so that a test that uses it needs not ask."""

import pytest
from playwright.async_api import Browser

from tests.support.browser import open_page


async def test_a_page_that_asks_another_machine_is_reported(browser: Browser) -> None:
    with pytest.raises(AssertionError, match=r"asked for https://elsewhere\.example\.com/x\.png"):
        async with open_page(browser) as page:
            await page.set_content('<img src="https://elsewhere.example.com/x.png" alt="">')


async def test_a_script_that_fails_is_reported(browser: Browser) -> None:
    with pytest.raises(AssertionError, match=r"a script failed: .*nowhere"):
        async with open_page(browser) as page:
            await page.set_content("<script>nowhere()</script>")


async def test_a_good_page_is_let_be(browser: Browser) -> None:
    async with open_page(browser, viewport={"width": 390, "height": 844}) as page:
        await page.set_content("<h1>Hello</h1>")
        assert await page.inner_text("h1") == "Hello"
