"""A real browser: Playwright on the Chromium that the machine has. It reaches this machine alone."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, Route, async_playwright, expect

from tests.support.requirements import unavailable

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# For what is looked for on a page, and for the page itself: a machine may have much else to do.
_LONGEST = 120_000
_HERE = ("127.0.0.1", "localhost", "::1")


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Give a browser for as long as the block lasts; skip or fail where this machine has none."""
    executable = next((path for name in _NAMES if (path := shutil.which(name, path="/usr/bin:" + os.defpath))), None)
    if executable is None:
        unavailable("no Chromium in /usr/bin: install it to run the tests that need a browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def open_page(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    """Give a page in a browser context of its own, made with Playwright's `options`.

    In the end it is an error if a script failed, if the content security policy was broken, or if the page
    asked for anything from another machine.
    """
    complaints: list[str] = []

    async def only_here(route: Route) -> None:
        if urlsplit(route.request.url).hostname in _HERE:
            await route.continue_()
        else:
            complaints.append(f"it asked for {route.request.url}")
            await route.abort()

    context = await browser.new_context(**{"locale": "en-GB", **options})
    context.set_default_timeout(_LONGEST)
    expect.set_options(timeout=_LONGEST)
    await context.route(lambda url: url.startswith("http"), only_here)
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(f"a script failed: {error}"))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None,
    )
    try:
        yield page
    finally:
        await context.close()
    assert not complaints, "the page misbehaved:\n" + "\n".join(complaints)
