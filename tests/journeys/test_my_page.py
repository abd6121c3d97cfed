"""Each right exercised by hand in a real browser, in Norwegian and in English (RULES B1–B4, E7, H8)."""

import asyncio
import json
from pathlib import Path

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
        "my page": "Min side", "email": "E-postadresse", "send": "Send meg lenken", "mailbox": "Se i innboksen din",
        "open": "Åpne min side", "name": "Fornavn", "save": "Lagre", "saved": "Lagret.", "not me": "Ikke mål meg",
        "not measured": "Du blir ikke målt", "restrict": "Begrens bruken av opplysningene mine",
        "restricted": "Begrenset siden", "lift": "Opphev begrensningen", "json": "Last ned som JSON",
        "copy": "Kopi til utskrift", "change": "Bytt e-postadresse", "new": "Ny e-postadresse",
        "write": "Skriv til den nye adressen", "use": "Bruk denne adressen", "counts": "Den nye adressen gjelder",
        "object": "Protester mot markedsføring", "erase": "Slett alt om meg", "everything": "Slett alt",
        "gone": "Du er slettet her",
    },
    "en": {
        "my page": "My page", "email": "E-mail address", "send": "Send me the link",
        "mailbox": "Look in your mailbox", "open": "Open my page", "name": "Given name", "save": "Save",
        "saved": "Saved.", "not me": "Do not measure me", "not measured": "You are not measured",
        "restrict": "Restrict the use of my data", "restricted": "Restricted since", "lift": "Lift the restriction",
        "json": "Download as JSON", "copy": "Copy for printing", "change": "Change the e-mail address",
        "new": "New e-mail address", "write": "Write to the new address", "use": "Use this address",
        "counts": "Your new address counts", "object": "Object to marketing", "erase": "Delete everything about me",
        "everything": "Delete everything", "gone": "You are deleted here",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", ["nb", "en"])
async def test_every_right_is_a_button(
    sqlite_company: Company, browser: Browser, peer: SmtpPeer, camera: Camera, language: str
) -> None:
    words = WORDS[language]
    old, new = f"kari.{language}@example.com", f"kari.{language}@example.org"
    await asyncio.to_thread(subscribe, sqlite_company, peer, old, language)
    async with open_page(browser, locale={"nb": "nb-NO", "en": "en-GB"}[language], accept_downloads=True) as page:
        errors = listen(page)
        await page.goto(sqlite_company.program.base_url + "/my")
        await camera.look(page, f"my-ask-{language}")
        await come(page, camera, words, peer, old, 3)
        await camera.look(page, f"my-page-{language}")
        await correct(page, words)
        await choose(page, words)
        await take_along(page, camera, words, old, language)
        await move(page, camera, words, peer, new, language)
        assert "@" not in page.url
        await page.goto(sqlite_company.program.base_url + "/my")
        await come(page, camera, words, peer, new, 2)
        await page.get_by_role("link", name=words["object"]).click()
        await camera.look(page, f"my-object-{language}")
        await page.go_back()
        await page.get_by_role("link", name=words["erase"]).click()
        await camera.look(page, f"my-erase-{language}")
        await page.get_by_role("button", name=words["everything"]).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(words["gone"])
        await camera.look(page, f"my-gone-{language}")
        assert await page.context.cookies() == []
        assert errors == []
    assert sqlite_company.find(new) == []
    assert old not in sqlite_company.program.log
    assert new not in sqlite_company.program.log


def subscribe(company: Company, peer: SmtpPeer, email: str, language: str) -> None:
    """Subscribe somebody over the API, who then has two letters."""
    signup = {"email": email, "given_name": "Kari", "employer": "Eksempel AS", "agreed": True, "language": language}
    http = company.program.http
    assert http.post(f"/api/v1/newsletters/{SLUG}/signups", json=signup).status_code == 202
    eventually(lambda: peer.mails_to(email), what="the question")
    assert http.post(peer.mails_to(email)[0].link("confirm")).status_code == 200
    eventually(lambda: len(peer.mails_to(email)) == 2, what="the copy of the agreement")
    assert "/my" in peer.mails_to(email)[1].text


async def mailed(peer: SmtpPeer, email: str, number: int) -> ReceivedMail:
    """Wait for so many mails to somebody; give the last."""
    await asyncio.to_thread(lambda: eventually(lambda: len(peer.mails_to(email)) >= number, what=f"mail {number}"))
    return peer.mails_to(email)[number - 1]


async def come(page: Page, camera: Camera, words: dict[str, str], peer: SmtpPeer, email: str, number: int) -> None:
    """Ask for the link, and open it from the letter."""
    await page.get_by_label(words["email"]).fill(email)
    await page.get_by_role("button", name=words["send"]).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(words["mailbox"])
    language = await page.locator("html").get_attribute("lang")
    await camera.look(page, f"my-asked-{language}")
    letter = await mailed(peer, email, number)
    await page.goto(letter.link("my"))
    await camera.look(page, f"my-open-{language}")
    await page.get_by_role("button", name=words["open"]).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(words["my page"])
    await expect(page.get_by_text(email).first).to_be_visible()


async def correct(page: Page, words: dict[str, str]) -> None:
    await page.get_by_label(words["name"]).fill("www.example.com/x")
    await page.get_by_role("button", name=words["save"], exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_label(words["name"]).fill("Kåre")
    await page.get_by_role("button", name=words["save"], exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text(words["saved"])
    await expect(page.get_by_label(words["name"])).to_have_value("Kåre")


async def choose(page: Page, words: dict[str, str]) -> None:
    await page.get_by_role("button", name=words["not me"]).click()
    await expect(page.get_by_text(words["not measured"])).to_be_visible()
    await page.get_by_role("button", name=words["restrict"]).click()
    await expect(page.get_by_text(words["restricted"])).to_be_visible()
    await page.get_by_role("button", name=words["lift"]).click()
    await expect(page.get_by_text(words["restricted"])).not_to_be_visible()


async def take_along(page: Page, camera: Camera, words: dict[str, str], email: str, language: str) -> None:
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name=words["json"]).click()
    data = json.loads(Path(await (await downloading.value).path()).read_text(encoding="utf-8"))
    assert data["person"]["email"] == email
    for summary in await page.locator("details > summary").all():
        await summary.click()
    await camera.look(page, f"my-page-opened-{language}")
    await page.get_by_role("link", name=words["copy"]).click()
    await camera.look(page, f"my-copy-{language}")
    await page.go_back()


async def move(page: Page, camera: Camera, words: dict[str, str], peer: SmtpPeer, new: str, language: str) -> None:
    if not await page.get_by_label(words["new"]).is_visible():
        await page.get_by_text(words["change"]).click()
    await page.get_by_label(words["new"]).fill(new)
    await page.get_by_role("button", name=words["write"]).click()
    await expect(page.get_by_role("status")).to_be_visible()
    letter = await mailed(peer, new, 1)
    await page.goto(letter.link("my"))
    await camera.look(page, f"my-address-{language}")
    await page.get_by_role("button", name=words["use"]).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(words["counts"])
