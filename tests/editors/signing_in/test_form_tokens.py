"""The token of a form is made from the session: it is worth nothing in another, before it or after it."""

import httpx

from newsletter.editors.sessions import COOKIE
from newsletter.editors.tables import EditorSession
from tests.editors.desk import EMAIL, INSIDE, PASSWORD, SIGN_IN, Desk

SIGN_OUT = "/console/sign-out"


async def out(desk: Desk, token: str) -> int:
    """Try to sign out with a token."""
    return (await desk.http.post(SIGN_OUT, data={"_csrf_token": token})).status_code


async def test_a_token_of_one_session_is_refused_in_another(desk: Desk) -> None:
    first, second = desk.elsewhere(), desk.elsewhere()
    await first.sign_in()
    await second.sign_in()
    theirs, own = await first.csrf(INSIDE), await second.csrf(INSIDE)
    assert theirs != own
    assert await out(second, theirs) == httpx.codes.FORBIDDEN
    assert len(await desk.site.all(EditorSession)) == 2
    assert await out(second, own) == httpx.codes.SEE_OTHER


async def test_the_cookie_and_the_token_of_a_stranger_together_open_nothing(desk: Desk) -> None:
    """Who can plant cookies plants the one beside the token, too; the session's own decides."""
    await desk.sign_in()
    stranger = desk.elsewhere()
    token = await stranger.csrf()
    desk.http.cookies.set("newsletter_csrf", stranger.http.cookies["newsletter_csrf"], "news.example.com", "/console")
    assert await out(desk, token) == httpx.codes.FORBIDDEN


async def test_a_form_from_before_signing_in_is_worth_nothing_after_it(desk: Desk) -> None:
    before = await desk.csrf()
    await desk.sign_in()
    assert await out(desk, before) == httpx.codes.FORBIDDEN
    inside = await desk.csrf(INSIDE)
    await desk.sign_in()
    assert await out(desk, inside) == httpx.codes.FORBIDDEN


async def test_a_form_is_worth_nothing_once_its_session_has_ended(desk: Desk) -> None:
    await desk.sign_in()
    inside = await desk.csrf(INSIDE)
    assert await out(desk, inside) == httpx.codes.SEE_OTHER
    answer = await desk.http.post(SIGN_IN, data={"email": EMAIL, "password": PASSWORD, "_csrf_token": inside})
    assert answer.status_code == httpx.codes.FORBIDDEN


async def test_signing_in_needs_the_cookie_that_came_with_the_form(desk: Desk) -> None:
    values = {"email": EMAIL, "password": PASSWORD, "_csrf_token": await desk.csrf()}
    assert (await desk.elsewhere().http.post(SIGN_IN, data=values)).status_code == httpx.codes.FORBIDDEN


async def test_the_cookie_of_a_stranger_is_kept_from_scripts_and_other_sites(desk: Desk) -> None:
    (cookie,) = (await desk.http.get(SIGN_IN)).headers.get_list("set-cookie")
    for said in ("HttpOnly", "Secure", "Path=/console", "SameSite=strict"):
        assert said.lower() in cookie.lower()
    assert COOKIE not in cookie
    assert "set-cookie" not in (await desk.http.get(SIGN_IN)).headers
