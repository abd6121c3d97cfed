"""A reader's way in a real browser, in Norwegian and in English: sign up, confirm, leave."""

import asyncio

import pytest
from playwright.async_api import Browser, Page, expect

from tests.journeys.camera import Camera, listen
from tests.journeys.story import SLUG, Company
from tests.support.browser import open_page
from tests.support.mailbox import ReceivedMail
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually

WORDS = {
    "nb": {
        "email": "E-postadresse", "name": "Fornavn", "sign up": "Meld meg på", "mailbox": "Se i innboksen din",
        "confirm": "Bekreft", "welcome": "Velkommen", "leave": "Meld meg av", "left": "Du er meldt av",
    },
    "en": {
        "email": "E-mail address", "name": "Given name", "sign up": "Sign up", "mailbox": "Look in your mailbox",
        "confirm": "Confirm my subscription", "welcome": "Welcome!", "leave": "Unsubscribe",
        "left": "You are unsubscribed",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", ["nb", "en"])
async def test_a_reader_comes_and_goes(
    sqlite_company: Company, browser: Browser, peer: SmtpPeer, camera: Camera, language: str
) -> None:
    words, email = WORDS[language], f"kari.{language}@example.com"
    async with open_page(browser, locale={"nb": "nb-NO", "en": "en-GB"}[language]) as page:
        errors = listen(page)
        await page.goto(sqlite_company.program.base_url)
        await camera.look(page, f"home-{language}")
        await page.get_by_role("link", name="Ukesbrevet på nett").click()
        await sign_up(page, camera, words, language, email)
        letter = await mailed(peer, email, 1)
        await confirm(page, camera, words, language, letter)
        await mailed(peer, email, 2)
        issue = sqlite_company.write_and_send()
        await asyncio.to_thread(sqlite_company.finished, issue)
        await leave(page, camera, words, language, (await mailed(peer, email, 3)))
        await page.goto(f"{sqlite_company.program.base_url}/nothing-here")
        await camera.look(page, f"error-{language}")
        assert errors == []
    assert sqlite_company.find(email) == []


async def mailed(peer: SmtpPeer, email: str, number: int) -> ReceivedMail:
    """Wait for so many mails to somebody; give the last."""
    await asyncio.to_thread(lambda: eventually(lambda: len(peer.mails_to(email)) >= number, what=f"mail {number}"))
    return peer.mails_to(email)[number - 1]


async def sign_up(page: Page, camera: Camera, words: dict[str, str], language: str, email: str) -> None:
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await camera.look(page, f"signup-{language}")
    await page.get_by_label(words["email"]).fill(email)
    await page.get_by_label(words["name"]).fill("www.example.com/kari")
    await expect(page.get_by_role("checkbox")).not_to_be_checked()
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name=words["sign up"]).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label(words["email"])).to_have_value(email)
    await camera.look(page, f"signup-refused-{language}")
    await page.get_by_label(words["name"]).fill("Kari")
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name=words["sign up"]).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(words["mailbox"])
    assert SLUG in page.url
    assert "@" not in page.url
    await camera.look(page, f"asked-{language}")


async def confirm(page: Page, camera: Camera, words: dict[str, str], language: str, letter: ReceivedMail) -> None:
    await page.goto(letter.link("confirm"))
    await expect(page.get_by_text("Kari", exact=True)).to_be_visible()
    await camera.look(page, f"confirm-{language}")
    await page.get_by_role("button", name=words["confirm"]).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(words["welcome"])
    await camera.look(page, f"confirmed-{language}")
    await page.goto(letter.link("confirm")[:-4] + "AAAA")
    await camera.look(page, f"expired-{language}")


async def leave(page: Page, camera: Camera, words: dict[str, str], language: str, issue: ReceivedMail) -> None:
    await page.goto(issue.link("unsubscribe"))
    await camera.look(page, f"unsubscribe-{language}")
    await page.get_by_role("button", name=words["leave"]).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(words["left"])
    await camera.look(page, f"unsubscribed-{language}")
