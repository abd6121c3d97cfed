"""An editor's own account: a new password, and where they are signed in."""

from datetime import timedelta

import httpx
import pytest
from sqlmodel import select

from newsletter.clock import TurnedClock
from newsletter.editors import accounts, keys
from newsletter.editors.audit.tables import AuditEntry
from newsletter.editors.passwords import hashing
from newsletter.editors.tables import ApiKey, Editor, EditorNetwork, EditorSession
from tests.editors.desk import EMAIL, INSIDE, PASSWORD, Desk

ACCOUNT = "/console/account"
CHANGE = f"{ACCOUNT}/password"
NEW = "quite another password of words"
FIREFOX = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


async def change(desk: Desk, old: str = PASSWORD, new: str = NEW) -> httpx.Response:
    """Send the form for another password."""
    return await desk.send(CHANGE, ACCOUNT, old=old, new=new)


async def test_the_others_sessions_end_and_nothing_else(any_desk: Desk) -> None:
    installation = any_desk.site.installation
    other, here = any_desk.elsewhere("203.0.113.1"), any_desk.elsewhere("203.0.113.2")
    await other.sign_in()
    await here.sign_in()
    async with installation.database.write() as session:
        await accounts.add(session, installation.clock, "ola@example.com", "Ola", PASSWORD)
        await keys.create(session, installation.clock, "website")
    ola = any_desk.elsewhere("203.0.113.3")
    await ola.sign_in("ola@example.com")
    before = await any_desk.site.all(ApiKey), await any_desk.site.all(EditorNetwork)
    answer = await change(here)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ACCOUNT}?password")
    assert "Your password is changed" in (await here.http.get(f"{ACCOUNT}?password")).text
    assert [await each.is_inside() for each in (other, here, ola)] == [False, True, True]
    assert (await any_desk.site.all(ApiKey), await any_desk.site.all(EditorNetwork)) == before
    assert (await other.sign_in()).status_code == 422
    assert (await other.sign_in(password=NEW)).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("not the password", NEW, "This is not your password."),
        (PASSWORD, "short", "12 to 256 characters"),
        (PASSWORD, "password1234", "among the first that others would try"),
        (PASSWORD, EMAIL, "must not be the e-mail address"),
        (PASSWORD, PASSWORD, "The new password is the old one."),
    ],
)
async def test_what_will_not_do_is_said_beside_its_field(desk: Desk, old: str, new: str, said: str) -> None:
    await desk.sign_in()
    answer = await change(desk, old, new)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert old not in answer.text
    assert (await desk.elsewhere().sign_in()).status_code == 303


async def test_a_session_alone_does_not_guess_the_password(desk: Desk) -> None:
    await desk.sign_in()
    assert [(await change(desk, f"wrong {n}")).status_code for n in range(7)] == [422] * 5 + [429] * 2
    assert (await change(desk)).status_code == 429


async def test_a_form_of_another_site_changes_nothing(desk: Desk) -> None:
    await desk.sign_in()
    answer = await desk.http.post(CHANGE, data={"old": PASSWORD, "new": NEW})
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert (await desk.elsewhere().sign_in()).status_code == 303


async def test_sessions_are_listed_with_since_when_last_seen_and_on_what(desk: Desk, clock: TurnedClock) -> None:
    phone, laptop = desk.elsewhere(), desk.elsewhere()
    laptop.http.headers.update(FIREFOX)
    await phone.sign_in()
    clock.turn(clock.now() + timedelta(minutes=70))
    await laptop.sign_in()
    clock.turn(clock.now() + timedelta(minutes=25))
    await phone.is_inside()
    page = (await laptop.http.get(ACCOUNT)).text
    assert "Firefox on Linux" in page
    assert "Unknown device" in page
    for moment in ("2 Nov 2026, 09:00 UTC", "2 Nov 2026, 10:10 UTC", "2 Nov 2026, 10:35 UTC"):
        assert moment in page
    assert (page.count('/end"'), page.count("This one")) == (1, 1)
    assert FIREFOX["user-agent"] not in repr(await desk.site.rows())


async def test_being_seen_is_written_down_every_ten_minutes_and_by_no_head(desk: Desk, clock: TurnedClock) -> None:
    await desk.sign_in()
    began = clock.now()
    for minutes, method, seen in ((9, "GET", 0), (10, "HEAD", 0), (10, "GET", 10), (19, "GET", 10), (20, "GET", 20)):
        clock.turn(began + timedelta(minutes=minutes))
        await desk.http.request(method, INSIDE)
        (row,) = await desk.site.all(EditorSession)
        assert row.seen_at == began + timedelta(minutes=seen)


async def test_one_session_is_ended_and_then_all_others(any_desk: Desk) -> None:
    first, second, third, here = (any_desk.elsewhere(f"203.0.113.{n}") for n in range(4))
    ids: list[str] = []
    for browser in (first, second, third, here):
        await browser.sign_in()
        ids += [row.id for row in await any_desk.site.all(EditorSession) if row.id not in ids]
    assert (await here.send(f"{ACCOUNT}/sessions/{ids[0]}/end", ACCOUNT)).status_code == 303
    assert [await each.is_inside() for each in (first, second, third, here)] == [False, True, True, True]
    assert (await here.send(f"{ACCOUNT}/sessions/{ids[0]}/end", ACCOUNT)).status_code == 404
    assert (await here.send(f"{ACCOUNT}/sessions/end-others", ACCOUNT)).status_code == 303
    assert [await each.is_inside() for each in (second, third, here)] == [False, False, True]


async def test_nobody_ends_the_session_of_somebody_else(desk: Desk) -> None:
    installation = desk.site.installation
    async with installation.database.write() as session:
        await accounts.add(session, installation.clock, "ola@example.com", "Ola", PASSWORD)
    ola = desk.elsewhere()
    await desk.sign_in()
    await ola.sign_in("ola@example.com")
    (olga,) = [editor for editor in await desk.site.all(Editor) if editor.email == EMAIL]
    (hers,) = [row for row in await desk.site.all(EditorSession) if row.editor_id == olga.id]
    assert (await ola.send(f"{ACCOUNT}/sessions/{hers.id}/end", ACCOUNT)).status_code == 404
    assert hers.id not in (await ola.http.get(ACCOUNT)).text
    await ola.send(f"{ACCOUNT}/sessions/end-others", ACCOUNT)
    assert await desk.is_inside()


async def test_a_short_password_of_an_earlier_time_works_and_is_to_be_changed(desk: Desk) -> None:
    async with desk.site.installation.database.write() as session:
        (olga,) = await desk.site.all(Editor)
        olga.password_hash = await hashing.hashed("short one")
        await session.merge(olga)
    answer = await desk.sign_in(password="short one", onward="/console/pace")
    assert (answer.status_code, answer.headers["location"]) == (303, ACCOUNT)
    assert "Your password is shorter" in (await desk.http.get("/console/pace")).text
    assert (await change(desk, "short one")).status_code == 303
    assert "Your password is shorter" not in (await desk.http.get("/console/pace")).text


async def test_each_act_is_in_the_audit_trail(desk: Desk) -> None:
    other = desk.elsewhere()
    await other.sign_in()
    await desk.sign_in()
    await desk.send(f"{ACCOUNT}/sessions/end-others", ACCOUNT)
    await change(desk)
    async with desk.site.installation.database.read() as session:
        acts = [entry.act for entry in (await session.exec(select(AuditEntry))).all()]
    assert sorted(acts) == ["password_changed", "sessions_ended", "signed_in", "signed_in"]
