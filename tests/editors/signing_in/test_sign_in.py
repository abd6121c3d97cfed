"""Signing in to the console, and out of it."""

import asyncio
import importlib.util
from datetime import timedelta

import httpx
import pytest

from newsletter.clock import TurnedClock
from newsletter.editors import accounts, sessions
from newsletter.editors.passwords import hashing
from newsletter.editors.sessions import COOKIE
from newsletter.editors.tables import Editor, EditorSession
from newsletter.errors import Conflict, InvalidInput, NotFound
from newsletter.installation import Installation
from newsletter.tokens import fingerprint
from tests.editors.desk import EMAIL, INSIDE, PASSWORD, SIGN_IN, Desk


async def test_the_console_is_closed_to_strangers(desk: Desk) -> None:
    answer = await desk.http.get(INSIDE)
    assert (answer.status_code, answer.headers["location"]) == (303, SIGN_IN)


@pytest.mark.parametrize("email", [EMAIL, "OLGA@Example.com", f"  {EMAIL} "])
async def test_the_right_password_opens_it(desk: Desk, email: str) -> None:
    answer = await desk.sign_in(email)
    assert (answer.status_code, answer.headers["location"]) == (303, INSIDE)
    assert await desk.is_inside()


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(desk: Desk) -> None:
    token = await desk.csrf()
    answers = []
    for email, password in (
        (EMAIL, "not the password"),
        ("nobody@example.com", PASSWORD),
        ("no address", ""),
        (EMAIL, ""),
    ):
        values = {"email": email, "password": password, "_csrf_token": token}
        with desk.site.statements() as said:
            answer = await desk.http.post(SIGN_IN, data=values)
        answers.append(
            (answer.status_code, answer.text.replace(f'value="{email}"', ""), dict(answer.headers), list(said))
        )
    alike = [(status, text) for status, text, _headers, _said in answers]
    assert alike.count(alike[0]) == len(answers)
    assert answers[0][3] == answers[1][3]
    assert answers[0][0] == 422
    assert not desk.session_cookie
    assert not await desk.is_inside()


async def test_the_password_is_stored_as_argon2_alone(desk: Desk) -> None:
    (olga,) = await desk.site.all(Editor)
    assert olga.password_hash.startswith("$argon2id$")
    assert PASSWORD not in repr(await desk.site.rows())


def test_a_guess_at_a_password_costs_64_megabytes() -> None:
    """Asked of a copy of its own, for the tests' own process does with cheap ones (`tests/conftest.py`)."""
    found = importlib.util.find_spec(hashing.__name__)
    assert found is not None
    assert found.loader is not None
    untouched = importlib.util.module_from_spec(found)
    found.loader.exec_module(untouched)
    assert untouched._hasher().hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,")


async def test_the_session_is_a_cookie_that_no_script_reads_and_a_hash_in_the_database(desk: Desk) -> None:
    """RULES H5."""
    answer = await desk.sign_in()
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith(COOKIE)]
    for said in ("HttpOnly", "Secure", "Path=/console", "SameSite=lax", "Max-Age=43200"):
        assert said.lower() in cookie.lower()
    key = desk.session_cookie
    assert key is not None
    assert len(key) >= 43
    (row,) = await desk.site.all(EditorSession)
    assert row.key_hash == fingerprint(key)
    assert key not in repr(await desk.site.rows())


@pytest.mark.parametrize("planted", ["", "x", "a-session-that-somebody-chose", "null", "é", "a" * 5000])
async def test_a_planted_cookie_is_no_session(desk: Desk, planted: str) -> None:
    desk.http.cookies.clear()
    cookie = f"{COOKIE}={planted}".encode("latin-1")
    answer = await desk.http.get(INSIDE, headers=[(b"cookie", cookie)])
    assert answer.status_code == 303


async def test_a_planted_cookie_does_not_become_the_session_at_sign_in(desk: Desk) -> None:
    """Fixation: whoever planted it would be signed in, too."""
    desk.http.cookies.set(COOKIE, "planted", domain="news.example.com", path="/console")
    await desk.sign_in()
    stored = {row.key_hash for row in await desk.site.all(EditorSession)}
    assert fingerprint("planted") not in stored
    thief = {"cookie": f"{COOKIE}=planted"}
    desk.http.cookies.clear()
    assert (await desk.http.get(INSIDE, headers=thief)).status_code == 303


async def test_each_sign_in_has_a_session_of_its_own(desk: Desk) -> None:
    await desk.sign_in()
    first = desk.session_cookie
    await desk.sign_in()
    assert desk.session_cookie != first
    assert len(await desk.site.all(EditorSession)) == 2


async def test_signing_out_ends_the_session_for_good(desk: Desk) -> None:
    await desk.sign_in()
    key = desk.session_cookie
    answer = await desk.http.post("/console/sign-out", data={"_csrf_token": await desk.csrf(INSIDE)})
    assert (answer.status_code, answer.headers["location"]) == (303, SIGN_IN)
    assert not desk.session_cookie
    assert await desk.site.all(EditorSession) == []
    desk.http.cookies.clear()
    assert (await desk.http.get(INSIDE, headers={"cookie": f"{COOKIE}={key}"})).status_code == 303


async def test_a_session_lasts_twelve_hours(desk: Desk, clock: TurnedClock) -> None:
    await desk.sign_in()
    clock.turn(clock.now() + timedelta(hours=12, seconds=-1))
    assert await desk.is_inside()
    clock.turn(clock.now() + timedelta(seconds=1))
    assert not await desk.is_inside()
    async with desk.site.installation.database.write() as session:
        await sessions.purge_expired(session, desk.site.installation)
    assert await desk.site.all(EditorSession) == []


async def test_a_new_password_signs_out_everywhere(desk: Desk) -> None:
    await desk.sign_in()
    await desk.sign_in()
    async with desk.site.installation.database.write() as session:
        olga = await accounts.set_password(session, EMAIL, "another password of many words")
        await sessions.end_all(session, olga.id)
    assert not await desk.is_inside()
    assert (await desk.sign_in()).status_code == 422
    assert (await desk.sign_in(password="another password of many words")).status_code == 303
    assert await desk.is_inside()


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/console\\evil.example",
        "/console/\\evil.example",
        "javascript:alert(1)",
        "/console.evil.example/",
        "/",
        "/console/\r\nSet-Cookie: x=y",
        "console/newsletters",
        " //evil.example",
    ],
)
async def test_signing_in_leads_to_nowhere_else(desk: Desk, onward: str) -> None:
    page = await desk.http.get(SIGN_IN, params={"next": onward})
    assert "evil.example" not in page.text
    answer = await desk.sign_in(onward=onward)
    assert (answer.status_code, answer.headers["location"]) == (303, INSIDE)


async def test_signing_in_leads_on_within_the_console(desk: Desk) -> None:
    answer = await desk.sign_in(onward="/console/newsletters/weekly/subscribers")
    assert answer.headers["location"] == "/console/newsletters/weekly/subscribers"


@pytest.mark.parametrize("token", [None, "", "x", "0" * 64, "another page's"])
async def test_a_form_without_our_token_changes_nothing(desk: Desk, token: str | None) -> None:
    await desk.sign_in()
    other = "ab" * 80 if token == "another page's" else token
    before = await desk.site.rows()
    for path, values in (("/console/sign-out", {}), (SIGN_IN, {"email": EMAIL, "password": PASSWORD})):
        given = values if other is None else values | {"_csrf_token": other}
        answer = await desk.http.post(path, data=given)
        assert answer.status_code == httpx.codes.FORBIDDEN, path
        assert "Traceback" not in answer.text
    assert await desk.site.rows() == before
    assert await desk.is_inside()


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 257])
async def test_a_password_has_twelve_to_256_characters(desk: Desk, password: str) -> None:
    async with desk.site.installation.database.write() as session:
        with pytest.raises(InvalidInput, match="12 to 256"):
            await accounts.add(session, desk.site.installation.clock, "ola@example.com", "Ola", password)


async def test_an_address_is_one_editor(desk: Desk) -> None:
    async with desk.site.installation.database.write() as session:
        with pytest.raises(Conflict):
            await accounts.add(session, desk.site.installation.clock, EMAIL.upper(), "Olga", PASSWORD)
        with pytest.raises(NotFound):
            await accounts.set_password(session, "nobody@example.com", PASSWORD)


async def test_of_two_at_once_one_gets_the_address(installation: Installation) -> None:
    async def add() -> str:
        async with installation.database.write() as session:
            return (await accounts.add(session, installation.clock, EMAIL, "Olga", PASSWORD)).email

    added = await asyncio.gather(*(add() for _ in range(3)), return_exceptions=True)
    assert added.count(EMAIL) == 1
    assert [type(other) for other in added if other != EMAIL] == [Conflict] * 2
