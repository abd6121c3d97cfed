"""An editor plans an issue, and decides about readers whose connection broke, in a real browser."""

import asyncio
import re

from playwright.async_api import Page, expect

from tests.journeys.at_the_console import sign_in
from tests.journeys.camera import Camera, listen
from tests.journeys.story import SLUG, Company
from tests.support.peer import SmtpPeer

READERS = 25


async def test_an_editor_plans_an_issue_and_decides_about_those_in_doubt(
    sqlite_company: Company, page: Page, camera: Camera, peer: SmtpPeer
) -> None:
    errors = listen(page)
    await asyncio.to_thread(sqlite_company.readers, READERS)
    await write_an_issue(page, sqlite_company.program.base_url)
    await plan_it_and_take_it_back(page, camera)
    await send_it_over_a_line_that_breaks(page, camera, peer)
    await decide(page, camera, peer)
    assert errors == []


async def write_an_issue(page: Page, url: str) -> None:
    await sign_in(page, url)
    await page.goto(f"{url}/console/newsletters/{SLUG}/issues")
    await page.get_by_role("button", name="Write a new issue").click()
    await page.get_by_label("Subject").fill("Books of the winter")
    await page.get_by_label("Text", exact=True).fill("Hello, here are [books](https://example.com/books).")
    await page.get_by_role("button", name="Save and go on to sending").click()


async def plan_it_and_take_it_back(page: Page, camera: Camera) -> None:
    await page.get_by_text("Send it later").click()
    field = page.get_by_label("Date and time")
    earliest = str(await field.get_attribute("min"))
    await camera.look(page, "console-issue-later")
    await field.evaluate("field => { field.removeAttribute('min'); field.value = '2020-01-01T09:00' }")
    await page.get_by_role("button", name="Send it at that time").click()
    await expect(page.get_by_text("This time has passed")).to_be_visible()
    await camera.look(page, "console-issue-later-refused")
    year = int(earliest[:4]) + 1
    await page.get_by_label("Date and time").fill(f"{year}{earliest[4:8]}01T09:00")
    await page.get_by_role("button", name="Send it at that time").click()
    await expect(page.locator("#progress .state")).to_have_text("Planned")
    await expect(page.get_by_text(f"{year}, 09:00, by the clocks of Oslo")).to_be_visible()
    await camera.look(page, "console-mailing-planned")
    await page.get_by_role("button", name="Take it back").click()
    await page.get_by_role("link", name="Back to writing").click()
    await page.get_by_role("button", name="Save and go on to sending").click()


async def send_it_over_a_line_that_breaks(page: Page, camera: Camera, peer: SmtpPeer) -> None:
    for number in range(3):
        peer.hang_up(f"reader{number}@example.com")
    peer.refuse("reader10@example.com", "550 5.1.1 <reader10@example.com>: user unknown in virtual mailbox table")
    peer.refuse("reader11@example.com", "554 5.7.1 Message rejected due to DMARC policy, see https://example.com/42")
    peer.refuse("reader12@example.com", "552 5.3.4 message too large", stage="END")
    await page.get_by_role("button", name=f"Send to {READERS} subscribers").click()
    await expect(page.locator("#progress .state")).to_have_text("Finished")
    await expect(page.get_by_role("link", name="See who, and decide")).to_be_visible()
    await camera.look(page, "console-mailing-in-doubt")


async def decide(page: Page, camera: Camera, peer: SmtpPeer) -> None:
    await page.get_by_role("link", name="See who, and decide").click()
    await expect(page.get_by_role("checkbox")).to_have_count(3)
    await page.get_by_role("button", name="Let them be", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("First tick those you mean")
    await page.get_by_label("reader0@example.com").check()
    await camera.look(page, "console-in-doubt")
    await page.get_by_role("button", name="Let them be", exact=True).click()
    await expect(page.get_by_role("checkbox")).to_have_count(2)
    await page.get_by_text("Decide for all of them at once").click()
    await camera.look(page, "console-in-doubt-all")
    await page.get_by_role("button", name="Send it to all of them again").click()
    await expect(page.locator("#progress .state")).to_have_text("Finished")
    await expect(page.locator("#progress .share")).to_contain_text(re.compile(r"21\s+of 25 delivered"))
    await page.goto(re.sub("/mailing.*", "/mailing/in-doubt", page.url))
    await expect(page.get_by_text("Nobody waits for a decision.")).to_be_visible()
    await camera.look(page, "console-in-doubt-nobody")
    assert peer.counted()["reader0@example.com"] == 1
    assert {peer.counted()[f"reader{number}@example.com"] for number in (1, 2)} == {2}
