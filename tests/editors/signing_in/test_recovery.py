"""A new password by a mailed link: once, within half an hour, and told to nobody but who reads the editor's mail."""

import re
from datetime import timedelta

import httpx
import pytest
from sqlmodel import select

from newsletter.clock import TurnedClock
from newsletter.editors import accounts
from newsletter.editors.tables import EditorRecovery, EditorSession
from newsletter.installation import Installation
from newsletter.mail.tables import Letter, LetterKind
from newsletter.settings import Settings
from newsletter.worker.letters import writers
from tests.editors.desk import EMAIL, INSIDE, PASSWORD, Desk

RECOVER = "/console/recover"
NEW = "quite another password of words"


async def ask(desk: Desk, email: str = EMAIL, **headers: str) -> httpx.Response:
    """Ask for the link."""
    values = {"email": email, "_csrf_token": await desk.csrf(RECOVER)}
    return await desk.http.post(RECOVER, data=values, headers=headers)


async def mails(installation: Installation) -> list[tuple[str, str]]:
    """Write what waits in the outbox, as the worker does; give to whom it goes, and what it says."""
    written = []
    async with installation.database.write() as session:
        for letter in (await session.exec(select(Letter).where(Letter.kind == LetterKind.RECOVERY))).all():
            if (mail := await writers(installation)[LetterKind.RECOVERY](session, letter)) is not None:
                text = mail.content.replace(b"=\r\n", b"").replace(b"=3D", b"=").decode()
                written.append((mail.envelope.recipient, text))
            await session.delete(letter)
    return written


async def link(desk: Desk) -> str:
    """Ask for the link, and give its path from the mail."""
    await ask(desk)
    ((_to, text),) = await mails(desk.site.installation)
    found = re.search(r"https://news\.example\.com(/console/recover/\S+)", text)
    assert found
    return found[1]


async def choose(desk: Desk, path: str, password: str = NEW) -> httpx.Response:
    """Send the form of the link."""
    return await desk.http.post(path, data={"password": password, "_csrf_token": await desk.csrf()})


async def test_the_link_sets_a_new_password_and_ends_every_session(any_desk: Desk) -> None:
    await any_desk.sign_in()
    browser = any_desk.elsewhere()
    path = await link(browser)
    assert "Choose a new password" in (await browser.http.get(path)).text
    answer = await choose(browser, path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in?new-password")
    assert await any_desk.site.all(EditorSession) == []
    assert not await any_desk.is_inside()
    assert (await browser.sign_in(password=PASSWORD)).status_code == 422
    assert (await browser.sign_in(password=NEW)).status_code == 303


async def test_it_works_once_and_with_it_go_the_others(any_desk: Desk) -> None:
    first, second = await link(any_desk), await link(any_desk)
    assert (await choose(any_desk, first)).status_code == 303
    for path in (first, second):
        assert (await any_desk.http.get(path)).status_code == httpx.codes.GONE
        assert (await choose(any_desk, path, "a third password of words")).status_code == httpx.codes.GONE
    assert (await any_desk.sign_in(password=NEW)).status_code == 303


async def test_it_works_for_half_an_hour_from_when_it_was_mailed(desk: Desk, clock: TurnedClock) -> None:
    await ask(desk)
    clock.turn(clock.now() + timedelta(minutes=20))
    ((_to, text),) = await mails(desk.site.installation)
    path = re.findall(r"https://news\.example\.com(/console/recover/\S+)", text)[0]
    clock.turn(clock.now() + timedelta(minutes=30, seconds=-1))
    assert (await desk.http.get(path)).status_code == 200
    clock.turn(clock.now() + timedelta(seconds=1))
    assert (await desk.http.get(path)).status_code == httpx.codes.GONE
    assert (await choose(desk, path)).status_code == httpx.codes.GONE
    assert (await desk.sign_in()).status_code == 303


async def test_what_is_not_mailed_in_an_hour_is_not_mailed_any_more(desk: Desk, clock: TurnedClock) -> None:
    await ask(desk)
    clock.turn(clock.now() + timedelta(hours=1))
    assert await mails(desk.site.installation) == []


async def test_looking_does_not_use_it_up_nor_does_a_password_that_will_not_do(desk: Desk) -> None:
    path = await link(desk)
    for method in ("GET", "HEAD", "GET"):
        assert (await desk.http.request(method, path)).status_code == 200
    for password in ("short", "password1234", EMAIL):
        answer = await choose(desk, path, password)
        assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)
    assert (await choose(desk, path)).status_code == 303


async def test_without_the_token_of_our_form_nothing_is_set(desk: Desk) -> None:
    path = await link(desk)
    assert (await desk.http.post(path, data={"password": NEW})).status_code == httpx.codes.FORBIDDEN
    assert (await desk.http.get(path)).status_code == 200


async def test_asking_says_the_same_and_does_the_same_for_every_address(desk: Desk) -> None:
    answers = []
    for number, email in enumerate((EMAIL, "nobody@example.com")):
        browser = desk.elsewhere(f"203.0.113.{number}")
        await browser.csrf(RECOVER)
        values = {"email": email, "_csrf_token": await browser.csrf(RECOVER)}
        with desk.site.statements() as said:
            answer = await browser.http.post(RECOVER, data=values)
        answers.append((answer.status_code, answer.headers["location"], answer.text, list(said)))
    assert answers[0] == answers[1]
    assert answers[0][:2] == (303, f"{RECOVER}?sent")
    assert [to for to, _text in await mails(desk.site.installation)] == [EMAIL]
    assert "nobody@example.com" not in repr(await desk.site.rows())


async def test_an_editor_who_was_removed_gets_none_and_a_link_of_before_is_worth_nothing(desk: Desk) -> None:
    path = await link(desk)
    async with desk.site.installation.database.write() as session:
        await accounts.remove(session, desk.site.installation.clock, EMAIL)
    assert (await desk.http.get(path)).status_code == httpx.codes.GONE
    await ask(desk)
    assert await mails(desk.site.installation) == []


async def test_too_many_letters_are_not_mailed_and_only_the_network_is_told(desk: Desk) -> None:
    for number in range(5):
        assert (await ask(desk.elsewhere(f"203.0.113.{number}"))).status_code == 303
    assert len(await mails(desk.site.installation)) == 3
    browser = desk.elsewhere("203.0.113.99")
    came = [(await ask(browser, f"name{number}@example.com")).status_code for number in range(5)]
    assert came == [303] * 3 + [429] * 2


async def test_the_mail_is_in_the_language_of_who_asked_and_holds_nothing_that_was_typed(desk: Desk) -> None:
    await ask(desk, EMAIL.upper(), **{"accept-language": "nn"})
    ((to, text),) = await mails(desk.site.installation)
    assert to == EMAIL
    assert "Nytt passord til konsollen" in text
    assert EMAIL.upper() not in text.partition("Subject")[2]


@pytest.mark.parametrize(("language", "word"), [("nb", "Glemt passordet?"), ("nn", "Gløymt passordet?")])
async def test_the_door_speaks_norwegian(desk: Desk, language: str, word: str) -> None:
    answer = await desk.http.get("/console/sign-in", headers={"accept-language": language})
    assert word in answer.text
    assert answer.headers["content-language"] == language


async def test_the_network_from_which_the_link_was_used_keeps_its_turn(desk: Desk) -> None:
    browser = desk.elsewhere("198.51.100.7")
    path = await link(browser)
    await choose(browser, path)
    for number in range(10):
        await desk.elsewhere(f"203.0.113.{number}").sign_in(password="wrong")
    assert (await desk.elsewhere("203.0.113.20").sign_in(password=NEW)).status_code == 429
    assert (await browser.sign_in(password=NEW)).status_code == 303


def test_a_relay_is_set_where_somebody_has_named_one() -> None:
    assert not Settings().relay_is_set
    assert Settings(smtp_url="smtp://localhost:25").relay_is_set
    assert Settings(relays="example.com = smtp://localhost").relay_is_set


async def test_without_a_relay_the_page_names_the_command(sqlite_installation: Installation) -> None:
    from dataclasses import replace

    from tests.signup.site import open_site

    settings = sqlite_installation.settings
    kept = {name: getattr(settings, name) for name in settings.model_fields_set if name != "smtp_url"}
    async with open_site(replace(sqlite_installation, settings=Settings(**kept))) as site:
        desk = Desk(site)
        assert "newsletter editor reset" in (await desk.http.get(RECOVER)).text
        answer = await desk.http.post(RECOVER, data={"email": EMAIL, "_csrf_token": await desk.csrf()})
        assert answer.status_code == httpx.codes.NOT_FOUND
        assert await site.all(EditorRecovery) == []
        assert (await desk.http.get(INSIDE)).status_code == 303
