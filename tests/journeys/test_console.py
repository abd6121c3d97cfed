"""An editor's day in a real browser: from signing in to the figures."""

import asyncio
import re

from playwright.async_api import Page, expect

from tests.journeys.camera import Camera, listen
from tests.journeys.story import EDITOR, PASSWORD, SLUG, Company
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually, eventually_async

READERS = 40
BROKEN = "# Hello {{ surname }}"
MENDED = '# Hello {{ given_name | default: "you" }}\n\nThree [books](https://example.com/books) and *no* more.'


async def test_an_editor_writes_sends_and_reads_the_figures(
    sqlite_company: Company, page: Page, camera: Camera, peer: SmtpPeer
) -> None:
    errors = listen(page)
    await asyncio.to_thread(sqlite_company.readers, READERS)
    await sign_in(page, sqlite_company.program.base_url, camera)
    await make_a_newsletter(page, camera)
    await write_an_issue(page, camera, peer)
    # From here on it is on its way until it may arrive, however long it takes to look.
    peer.halt()
    await send_with_a_change_of_mind(page, camera)
    await pause_and_go_on(page, camera, peer)
    assert set(peer.counted().values()) <= {1, 2}
    assert len({address for address in peer.counted() if address.startswith("reader")}) == READERS
    await read_the_figures(page, sqlite_company, camera, peer)
    await look_around(page, camera)
    assert errors == []


async def sign_in(page: Page, url: str, camera: Camera) -> None:
    await page.goto(f"{url}/console/")
    await page.get_by_label("E-mail address").fill(EDITOR)
    await page.get_by_label("Password").fill("not this one")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("is not right")
    await camera.look(page, "console-sign-in")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Newsletters")
    await camera.look(page, "console-newsletters")


async def make_a_newsletter(page: Page, camera: Camera) -> None:
    await page.get_by_text("New newsletter").click()
    await page.get_by_label("Name", exact=True).fill("Quarterly")
    await page.get_by_label("Short name").fill("Not Good")
    await page.get_by_label("Sender").fill("Example <news@example.com>")
    await page.get_by_role("button", name="Make the newsletter").click()
    await expect(page.get_by_role("alert")).to_contain_text("lower-case letters")
    await camera.look(page, "console-newsletters-refused")
    await page.get_by_label("Short name").fill("quarterly")
    await page.get_by_role("button", name="Make the newsletter").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Quarterly")
    await page.get_by_label("Description").fill("Four times a year.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_contain_text("Saved.")
    await camera.look(page, "console-settings")


async def write_an_issue(page: Page, camera: Camera, peer: SmtpPeer) -> None:
    await page.goto(re.sub(r"/console/.*", f"/console/newsletters/{SLUG}/issues", page.url))
    await camera.look(page, "console-issues-empty")
    await page.get_by_role("button", name="Write a new issue").click()
    await page.get_by_label("Subject").fill("Books of the autumn")
    await page.get_by_label("Text", exact=True).fill(BROKEN)
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("surname", exact=False).first).to_be_visible()
    await expect(page.get_by_text("To mend before sending")).to_be_visible()
    await camera.look(page, "console-issue-problem")
    await page.get_by_label("Text", exact=True).fill(MENDED)
    await page.get_by_role("button", name="Save and preview").click()
    for frame in await page.locator("iframe").all():
        await expect(frame.content_frame.get_by_role("link", name="books")).to_be_visible()
    await camera.look(page, "console-issue-preview")
    await page.go_back()
    await page.get_by_role("button", name="Save and send me a test").click()
    await expect(page.get_by_role("status")).to_contain_text("a test is on its way")
    test = await asyncio.to_thread(lambda: eventually(lambda: peer.mails_to(EDITOR), what="the test mail"))
    assert "Books of the autumn" in test[0].subject
    await camera.look(page, "console-issue-edit")


async def send_with_a_change_of_mind(page: Page, camera: Camera) -> None:
    await page.get_by_role("button", name="Save and go on to sending").click()
    await camera.look(page, "console-issue-ready")
    await page.get_by_role("button", name=f"Send to {READERS} subscribers").click()
    await expect(page.get_by_text("Starts in a moment")).to_be_visible()
    await page.get_by_role("button", name="Take it back").click()
    await expect(page.get_by_text("Cancelled")).to_be_visible()
    await camera.look(page, "console-mailing-taken-back")
    await page.get_by_role("link", name="Back to writing").click()
    await page.get_by_role("button", name="Save and go on to sending").click()
    await page.get_by_role("button", name=f"Send to {READERS} subscribers").click()
    await camera.look(page, "console-mailing-scheduled")


async def pause_and_go_on(page: Page, camera: Camera, peer: SmtpPeer) -> None:
    await page.evaluate("window.neverReloaded = true")
    await expect(page.get_by_text("On its way")).to_be_visible()
    assert await page.evaluate("window.neverReloaded")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Paused")).to_be_visible()
    await camera.look(page, "console-mailing-paused")
    assert len(peer.mails) < READERS
    await page.get_by_role("button", name="Go on sending").click()
    await expect(page.get_by_text("On its way")).to_be_visible()
    await page.evaluate("window.neverReloaded = true")
    peer.go_on()
    await expect(page.locator("#progress .state")).to_have_text("Finished")
    await expect(page.locator("#progress .share")).to_contain_text(f"of {READERS} delivered")
    assert await page.evaluate("window.neverReloaded")
    await camera.look(page, "console-mailing-finished")


async def read_the_figures(page: Page, company: Company, camera: Camera, peer: SmtpPeer) -> None:
    for mail in peer.mails[-5:]:
        company.program.http.get(str(mail.pixel))
        company.program.http.get(mail.links("click")[0])
    await page.get_by_role("link", name="See the figures").click()

    async def counted() -> bool:
        await page.reload()
        return await page.locator(".tiles .strong dd").first.inner_text() == "5\n5 times in all"

    await eventually_async(counted, what="the counting")
    await expect(page.locator("svg").first).to_be_visible()
    await expect(page.get_by_role("link", name="https://example.com/books")).to_be_visible()
    await camera.look(page, "console-figures")


async def look_around(page: Page, camera: Camera) -> None:
    base = re.sub(r"/console/.*", "", page.url)
    places = {
        "console-issues": f"/console/newsletters/{SLUG}/issues",
        "console-subscribers": f"/console/newsletters/{SLUG}/subscribers",
        "console-returned": "/console/returned",
        "api-docs": "/api/docs",
    }
    for name, path in places.items():
        await page.goto(base + path)
        await camera.look(page, name)
    await page.goto(f"{base}/console/newsletters")
    await page.get_by_role("button", name="Sign out").click()
    await page.goto(f"{base}/console/newsletters")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
