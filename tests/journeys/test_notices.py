"""A notice is changed: the editor writes it and asks the readers anew, and a reader looks, and answers."""

import asyncio

import httpx
from playwright.async_api import Page, expect

from tests.journeys.at_the_console import sign_in
from tests.journeys.camera import Camera, listen
from tests.journeys.story import SLUG, Company
from tests.support.mailbox import ReceivedMail
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually

KARI, OLA = "kari@example.com", "ola@example.com"
NOTICES = f"/console/newsletters/{SLUG}/notices"


async def test_a_changed_notice_reaches_its_readers(
    sqlite_company: Company, page: Page, camera: Camera, peer: SmtpPeer
) -> None:
    errors = listen(page)
    base = sqlite_company.program.base_url
    for email in (KARI, OLA):
        await asyncio.to_thread(join, sqlite_company, peer, email)
    await sign_in(page, base)
    await write_a_notice(page, base, camera)
    await put_it_in_force(page, camera)
    question = await asyncio.to_thread(lambda: letter_to(peer, KARI))
    await answer(page, question.link("renew"), camera)
    await read_the_figures(page, base, camera)
    assert errors == []


def join(company: Company, peer: SmtpPeer, email: str) -> None:
    """Subscribe somebody, from the mailbox."""
    company.answer("POST", f"/newsletters/{SLUG}/signups", {"email": email, "agreed": True, "language": "nb"})
    (question, *_) = eventually(lambda: peer.mails_to(email), what="the question whether they asked")
    httpx.post(question.link("confirm"), trust_env=False).raise_for_status()


def letter_to(peer: SmtpPeer, email: str) -> ReceivedMail:
    found = eventually(
        lambda: [each for each in peer.mails_to(email) if each.links("renew")], what="the question whether they agree"
    )
    return found[0]


async def write_a_notice(page: Page, base: str, camera: Camera) -> None:
    await page.goto(f"{base}{NOTICES}")
    await page.get_by_role("link", name="Write a new version in Norsk bokmål").click()
    notice = page.get_by_label("The notice")
    before = await notice.input_value()
    await notice.fill("")
    await page.evaluate("document.querySelectorAll('[required]').forEach(each => each.required = false)")
    await page.get_by_role("button", name="Save and look at it").click()
    await expect(page.get_by_role("alert")).to_contain_text("Please write the notice")
    changed = before.replace("for å sende deg nyhetsbrevet", "for å sende deg nyhetsbrevet og spørre hva du synes")
    assert changed != before
    await notice.fill(f"{changed}\n\n**Nytt:** Vi spør deg av og til hva du synes om brevet.\n")
    await page.get_by_role("button", name="Save and look at it").click()
    await expect(page.locator("ins").filter(has_text="spørre hva du synes")).to_be_visible()
    await camera.look(page, "console-notice-draft")
    await page.get_by_role("button", name="Save and go on to putting it in force").click()


async def put_it_in_force(page: Page, camera: Camera) -> None:
    await page.get_by_label("At once").check()
    await page.get_by_label("Yes: ask them to agree anew").check()
    await page.get_by_label("Days to answer").fill("14")
    await page.get_by_label("No answer: the subscription ends").check()
    await camera.look(page, "console-notice-ready")
    await page.get_by_role("button", name="Put it in force").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Asked to agree anew")
    # The page follows by itself, without being loaded anew.
    await expect(page.get_by_text("Sent, waiting for answers")).to_be_visible()


async def answer(page: Page, link: str, camera: Camera) -> None:
    console = page.url
    await page.goto(link)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Vil du fortsatt ha")
    await camera.look(page, "renew-question")
    await page.get_by_role("button", name="Ja, jeg vil fortsatt ha det").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Avtalen din er fornyet")
    await camera.look(page, "renew-done")
    await page.goto(link)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Avtalen din er fornyet")
    await page.goto(console)


async def read_the_figures(page: Page, base: str, camera: Camera) -> None:
    renewed = page.locator(".legend .renewed")
    await expect(renewed).to_contain_text("Renewed")
    await expect(renewed).to_contain_text("1")
    await camera.look(page, "console-notice-mailing")
    await page.goto(f"{base}/console/newsletters/{SLUG}/notice-mailings")
    await camera.look(page, "console-notice-mailings")
    await page.goto(f"{base}{NOTICES}")
    await expect(page.get_by_text("In force").first).to_be_visible()
    await camera.look(page, "console-notices")
    await page.get_by_role("button", name="Compare").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("What has changed")
    await camera.look(page, "console-notice-compare")
    await page.goto(f"{base}{NOTICES}")
    await page.goto(await notice_address(page))
    await camera.look(page, "notice-public")


async def notice_address(page: Page) -> str:
    """Give the public address of the notice that is in force first."""
    code = await page.locator(".hash code").first.text_content()
    return page.url.replace("/console", "") + f"/{code}"
