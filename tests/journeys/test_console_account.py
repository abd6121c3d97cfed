"""An editor looks after the door in a real browser: password, sessions, second factor, keys, a forgotten password."""

import asyncio
import re

import httpx
import pyotp
from playwright.async_api import Browser, Page, expect

from newsletter.clock import SystemClock
from tests.journeys.at_the_console import sign_in
from tests.journeys.camera import Camera, listen
from tests.journeys.story import EDITOR, PASSWORD, SLUG, Company
from tests.support.browser import open_page
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually

NEW = "quite another password of words"
LAST = "the third password, of words too"


async def test_an_editor_looks_after_the_door(
    sqlite_company: Company, browser: Browser, page: Page, camera: Camera, peer: SmtpPeer
) -> None:
    errors = listen(page)
    base = sqlite_company.program.base_url
    await sign_in(page, base)
    async with open_page(browser) as other:
        await sign_in(other, base)
        await end_the_others_session(page, other, base, camera)
    await change_the_password(page, camera)
    await make_and_revoke_a_key(page, base, camera)
    phone, codes = await set_up_the_phone(page, camera)
    await page.get_by_role("button", name="Sign out").click()
    await forget_the_password(page, base, camera, peer)
    await come_in_with_a_code(page, phone, codes, camera)
    assert errors == []


async def end_the_others_session(page: Page, other: Page, base: str, camera: Camera) -> None:
    await page.get_by_role("link", name="Olga").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    await expect(page.get_by_text("Chrome on Linux").first).to_be_visible()
    await camera.look(page, "console-account")
    await page.get_by_role("button", name="End the session of Chrome on Linux").click()
    await expect(page.get_by_role("button", name="End the session")).to_have_count(0)
    await other.goto(f"{base}/console/newsletters")
    await expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")


async def change_the_password(page: Page, camera: Camera) -> None:
    await page.get_by_label("The password you have now").fill("not this one")
    await page.get_by_label("The new password").fill(NEW)
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_role("alert")).to_contain_text("This is not your password.")
    await page.get_by_label("The password you have now").fill(PASSWORD)
    await page.get_by_label("The new password").fill("password1234")
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_role("alert")).to_contain_text("among the first that others would try")
    await camera.look(page, "console-account-refused")
    await page.get_by_label("The password you have now").fill(PASSWORD)
    await page.get_by_label("The new password").fill(NEW)
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_role("status")).to_contain_text("Your password is changed")


async def make_and_revoke_a_key(page: Page, base: str, camera: Camera) -> None:
    await page.get_by_role("link", name="Keys", exact=True).click()
    await camera.look(page, "console-keys")
    await page.get_by_role("button", name="Make the key").click()
    await page.get_by_label("Name").fill("website")
    await page.get_by_role("button", name="Make the key").click()
    await expect(page.get_by_role("alert")).to_contain_text("at least one thing")
    await camera.look(page, "console-keys-refused")
    await page.get_by_label("Read notices").check()
    await page.get_by_label("Only these:").check()
    await page.get_by_label("Ukesbrevet på nett").check()
    await page.get_by_role("button", name="Make the key").click()
    key = await page.locator(".made-key").inner_text()
    await camera.look(page, "console-keys-made")
    notices = f"{base}/api/v1/newsletters/{SLUG}/notices"
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {key}"}) as program:
        assert (await program.get(notices)).status_code == 200
        assert (await program.get(f"{base}/api/v1/returned")).status_code == 403
        await page.get_by_role("button", name="Revoke website").click()
        await expect(page.get_by_text("Revoked").first).to_be_visible()
        assert (await program.get(notices)).status_code == 401
    await camera.look(page, "console-keys-revoked")


async def set_up_the_phone(page: Page, camera: Camera) -> tuple[pyotp.TOTP, list[str]]:
    await page.get_by_role("link", name="Olga").click()
    await page.get_by_role("link", name="Set it up").click()
    await expect(page.locator(".code-picture svg")).to_be_visible()
    await camera.look(page, "console-second-factor")
    phone = pyotp.TOTP((await page.locator("code.url").inner_text()).replace(" ", ""))
    await page.get_by_label("The code that the app shows").fill(phone.at(SystemClock().now()))
    await page.get_by_label("Your password").fill(NEW)
    await page.get_by_role("button", name="Switch the codes on").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    codes = await page.locator(".recovery-codes code").all_inner_texts()
    await camera.look(page, "console-recovery-codes")
    await page.get_by_role("button", name="I have kept them").click()
    await expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    await page.get_by_role("link", name="Switch it off").click()
    await camera.look(page, "console-second-factor-on")
    return phone, codes


async def forget_the_password(page: Page, base: str, camera: Camera, peer: SmtpPeer) -> None:
    await page.goto(f"{base}/console/sign-in")
    await page.get_by_role("link", name="Forgotten your password?").click()
    await camera.look(page, "console-recover")
    await page.get_by_label("E-mail address").fill(EDITOR)
    await page.get_by_role("button", name="Mail me the link").click()
    await expect(page.get_by_role("status")).to_contain_text("a link is on its way")
    await camera.look(page, "console-recover-sent")
    (mail,) = await asyncio.to_thread(lambda: eventually(lambda: peer.mails_to(EDITOR), what="the mail with the link"))
    found = re.search(rf"{re.escape(base)}/console/recover/[\w-]+", mail.text)
    assert found
    await page.goto(found[0])
    await page.get_by_label("New password").fill("password1234")
    await page.get_by_role("button", name="Set the password").click()
    await camera.look(page, "console-new-password")
    await page.get_by_label("New password").fill(LAST)
    await page.get_by_role("button", name="Set the password").click()
    await expect(page.get_by_role("status")).to_contain_text("Your new password is set")
    await camera.look(page, "console-sign-in-after")


async def come_in_with_a_code(page: Page, phone: pyotp.TOTP, codes: list[str], camera: Camera) -> None:
    await page.get_by_label("E-mail address").fill(EDITOR)
    await page.get_by_label("Password").fill(LAST)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("The code that your phone shows").fill("000000" if phone.now() != "000000" else "000001")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("This code is not right")
    await camera.look(page, "console-code")
    await page.get_by_label("The code that your phone shows").fill(codes[0])
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Newsletters")
