"""Codes of a phone beside the password: each once, and ten that stand in for the phone."""

import re
from datetime import timedelta
from html import unescape

import httpx
import pyotp
import pytest

from newsletter.clock import TurnedClock
from newsletter.editors.tables import Editor, EditorSession, RecoveryCode
from tests.editors.desk import EMAIL, PASSWORD, SIGN_IN, Desk
from tests.signup.site import hidden

PAGE = "/console/account/second-factor"
CODE = f"{SIGN_IN}/code"


async def switched_on(desk: Desk, clock: TurnedClock) -> tuple[pyotp.TOTP, list[str]]:
    """Sign in and switch the codes on; give the phone and the recovery codes."""
    await desk.sign_in()
    page = (await desk.http.get(PAGE)).text
    found = re.search(r'<code class="url">([A-Z2-7 ]+)</code>', page)
    assert found
    phone = pyotp.TOTP(found[1].replace(" ", ""))
    values = {"secret": hidden(page, "secret"), "code": phone.at(clock.now()), "password": PASSWORD}
    answer = await desk.send(f"{PAGE}/on", **values)
    assert answer.status_code == 200, answer.text
    clock.turn(clock.now() + timedelta(seconds=60))
    return phone, re.findall(r"<li><code>([a-z2-7-]+)</code>", answer.text)


async def step(desk: Desk) -> str:
    """Give the right password; give the token that the question for the code holds."""
    answer = await desk.sign_in()
    assert answer.status_code == 200
    assert not desk.session_cookie
    return hidden(answer.text, "step")


async def enter(desk: Desk, token: str, code: str) -> httpx.Response:
    """Give the code."""
    values = {"step": token, "code": code, "next": "", "_csrf_token": await desk.csrf()}
    return await desk.http.post(CODE, data=values)


async def test_a_code_is_asked_for_after_the_password_and_lets_in(any_desk: Desk, clock: TurnedClock) -> None:
    phone, codes = await switched_on(any_desk, clock)
    assert len(set(codes)) == 10
    browser = any_desk.elsewhere()
    token = await step(browser)
    assert not await browser.is_inside()
    assert (await enter(browser, token, "000000")).status_code == 422
    assert not await browser.is_inside()
    assert (await enter(browser, token, phone.at(clock.now()))).status_code == 303
    assert await browser.is_inside()


async def test_a_code_counts_once(any_desk: Desk, clock: TurnedClock) -> None:
    phone, _codes = await switched_on(any_desk, clock)
    code = phone.at(clock.now())
    browser = any_desk.elsewhere()
    assert (await enter(browser, await step(browser), code)).status_code == 303
    other = any_desk.elsewhere()
    assert (await enter(other, await step(other), code)).status_code == 422
    before = phone.at(clock.now() - timedelta(seconds=30))
    assert (await enter(other, await step(other), before)).status_code == 422


async def test_a_recovery_code_counts_once_however_it_is_written(any_desk: Desk, clock: TurnedClock) -> None:
    _phone, codes = await switched_on(any_desk, clock)
    browser = any_desk.elsewhere()
    written = f" {codes[0].upper().replace('-', ' ')} "
    assert (await enter(browser, await step(browser), written)).status_code == 303
    assert "9 recovery codes are left" in (await browser.http.get("/console/account")).text
    other = any_desk.elsewhere()
    assert (await enter(other, await step(other), codes[0])).status_code == 422
    assert (await enter(other, await step(other), codes[1])).status_code == 303


async def test_codes_are_tried_few_times(desk: Desk, clock: TurnedClock) -> None:
    phone, _codes = await switched_on(desk, clock)
    browser = desk.elsewhere("203.0.113.1")
    token = await step(browser)
    came = [(await enter(browser, token, f"{n:06}")).status_code for n in range(7)]
    assert came == [422] * 5 + [429] * 2
    elsewhere = desk.elsewhere("203.0.113.2")
    assert (await enter(elsewhere, await step(elsewhere), phone.at(clock.now()))).status_code == 429
    known = desk.elsewhere("127.0.0.1")
    assert (await enter(known, await step(known), phone.at(clock.now()))).status_code == 303


@pytest.mark.parametrize("spoilt", ["late", "new password", "forged", "another purpose"])
async def test_the_question_is_over_soon_and_can_not_be_forged(desk: Desk, clock: TurnedClock, spoilt: str) -> None:
    phone, _codes = await switched_on(desk, clock)
    browser = desk.elsewhere()
    token = await step(browser)
    if spoilt == "late":
        clock.turn(clock.now() + timedelta(minutes=5))
    elif spoilt == "new password":
        async with desk.site.installation.database.write() as session:
            (olga,) = await desk.site.all(Editor)
            olga.password_hash = "another hash"
            await session.merge(olga)
    elif spoilt == "forged":
        token = token[:-3] + "AAA"
    else:
        (olga,) = await desk.site.all(Editor)
        token = desk.site.installation.keys.sign("recovery", olga.id.encode())
    answer = await enter(browser, token, phone.at(clock.now()))
    assert (answer.status_code, "Please sign in again" in answer.text) == (422, True)
    assert not await browser.is_inside()


async def test_it_is_switched_on_by_a_right_code_and_the_password_alone(desk: Desk, clock: TurnedClock) -> None:
    await desk.sign_in()
    page = (await desk.http.get(PAGE)).text
    secret, found = hidden(page, "secret"), re.search(r'<code class="url">([A-Z2-7 ]+)</code>', page)
    assert found
    right = pyotp.TOTP(found[1].replace(" ", "")).at(clock.now())
    for code, password in (("000000", PASSWORD), (right, "not the password"), ("", ""), ("x" * 400, PASSWORD)):
        answer = await desk.send(f"{PAGE}/on", secret=secret, code=code, password=password)
        assert answer.status_code == 422
        assert found[1] in unescape(answer.text)
    assert (await desk.send(f"{PAGE}/on", secret="forged", code=right, password=PASSWORD)).status_code == 422
    assert [editor.totp_locked for editor in await desk.site.all(Editor)] == [None]


async def test_it_is_switched_off_by_the_password(desk: Desk, clock: TurnedClock) -> None:
    await switched_on(desk, clock)
    assert (await desk.send(f"{PAGE}/off", password="not the password")).status_code == 422
    assert len(await desk.site.all(RecoveryCode)) == 10
    assert (await desk.send(f"{PAGE}/off", password=PASSWORD)).status_code == 303
    assert await desk.site.all(RecoveryCode) == []
    assert (await desk.elsewhere().sign_in(EMAIL)).status_code == 303
    assert len(await desk.site.all(EditorSession)) == 2


async def test_nothing_of_it_can_be_read_in_the_database(desk: Desk, clock: TurnedClock) -> None:
    phone, codes = await switched_on(desk, clock)
    stored = repr(await desk.site.rows())
    assert phone.secret not in stored
    assert not [code for code in codes if code in stored or code.replace("-", "") in stored]
