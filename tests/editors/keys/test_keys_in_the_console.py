"""Keys in the console: made and shown once, listed, used, expired and revoked."""

import re
from datetime import timedelta

import httpx
import pytest
from sqlmodel import select

from newsletter.clock import TurnedClock
from newsletter.editors.audit.tables import AuditEntry
from newsletter.editors.keys.rules import Scope
from newsletter.editors.tables import ApiKey, ApiKeyNewsletter
from newsletter.tokens import new_id
from tests.editors.desk import Desk

KEYS = "/console/keys"
NOTICES = "/api/v1/newsletters/weekly/notices"
FORM = {"name": "website", "scope-read": "1", "which": "every", "days": "90"}


async def make(desk: Desk, **values: str) -> tuple[httpx.Response, str]:
    """Send the form; give the answer and the key in it."""
    answer = await desk.send(KEYS, KEYS, **values)
    found = re.search(r"nl_[\w-]+", answer.text)
    return answer, found[0] if found else ""


async def status(desk: Desk, key: str) -> int:
    """Use a key."""
    return (await desk.http.get(NOTICES, headers={"authorization": f"Bearer {key}"})).status_code


async def test_a_key_is_made_and_shown_once(any_desk: Desk, clock: TurnedClock) -> None:
    await any_desk.sign_in()
    answer, key = await make(any_desk, **FORM)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert key not in (await any_desk.http.get(KEYS)).text
    assert key not in repr(await any_desk.site.rows())
    (row,) = await any_desk.site.all(ApiKey)
    assert (row.name, row.scopes, row.every_newsletter) == ("website", "read", True)
    assert row.expires_at == clock.now() + timedelta(days=90)
    assert await status(any_desk, key) == 200


async def test_a_key_for_one_newsletter(any_desk: Desk) -> None:
    await any_desk.sign_in()
    await any_desk.site.open("other")
    weekly = any_desk.site.weekly.id
    _answer, key = await make(any_desk, **FORM | {"which": "some", f"newsletter-{weekly}": "1"})
    assert [row.newsletter_id for row in await any_desk.site.all(ApiKeyNewsletter)] == [weekly]
    assert await status(any_desk, key) == 200
    headers = {"authorization": f"Bearer {key}"}
    assert (await any_desk.http.get("/api/v1/newsletters/other/notices", headers=headers)).status_code == 404
    assert "The weekly" in (await any_desk.http.get(KEYS)).text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "Please name the key"),
        ({"name": "x" * 101}, "Please name the key"),
        ({"scope-read": None}, "at least one thing"),
        ({"which": "some"}, "choose the newsletters"),
        ({"which": ""}, "choose the newsletters"),
        ({"which": "some", f"newsletter-{new_id()}": "1"}, "choose the newsletters"),
        ({"days": "100000"}, "how long"),
        ({"days": ""}, "how long"),
    ],
)
async def test_what_will_not_do_is_said_and_no_key_is_made(
    desk: Desk, changed: dict[str, str | None], said: str
) -> None:
    await desk.sign_in()
    values = {name: value for name, value in (FORM | changed).items() if value is not None}
    answer, key = await make(desk, **values)
    assert (answer.status_code, said in answer.text, key) == (422, True, "")
    assert await desk.site.all(ApiKey) == []


async def test_a_key_ends_when_it_is_revoked(any_desk: Desk) -> None:
    await any_desk.sign_in()
    _answer, key = await make(any_desk, **FORM)
    (row,) = await any_desk.site.all(ApiKey)
    assert (await any_desk.send(f"{KEYS}/{row.id}/revoke", KEYS)).status_code == 303
    assert await status(any_desk, key) == 401
    assert (await any_desk.send(f"{KEYS}/{row.id}/revoke", KEYS)).status_code == 404
    assert "Revoked" in (await any_desk.http.get(KEYS)).text
    # The trail still says which it was.
    assert "API key website" in (await any_desk.http.get("/console/audit")).text
    async with any_desk.site.installation.database.read() as session:
        acts = (await session.exec(select(AuditEntry.act).where(AuditEntry.subject_id == row.id))).all()
    assert sorted(acts) == ["api_key_made", "api_key_revoked"]


async def test_a_key_ends_when_its_time_is_over(any_desk: Desk, clock: TurnedClock) -> None:
    await any_desk.sign_in()
    _answer, key = await make(any_desk, **FORM | {"days": "30"})
    clock.turn(clock.now() + timedelta(days=30, seconds=-1))
    assert await status(any_desk, key) == 200
    clock.turn(clock.now() + timedelta(seconds=1))
    answer = await any_desk.http.get(NOTICES, headers={"authorization": f"Bearer {key}"})
    assert (answer.status_code, "has expired" in answer.text) == (401, True)
    await any_desk.sign_in()
    assert "Expired" in (await any_desk.http.get(KEYS)).text


async def test_the_day_of_its_last_use_is_noted_and_no_more(any_desk: Desk, clock: TurnedClock) -> None:
    await any_desk.sign_in()
    _answer, key = await make(any_desk, **FORM)
    for days in (0, 1):
        clock.turn(clock.now() + timedelta(days=days, hours=2))
        assert await status(any_desk, key) == 200
        (row,) = await any_desk.site.all(ApiKey)
        assert row.used_on == clock.now().replace(hour=0)
    with any_desk.site.statements() as said:
        await status(any_desk, key)
    assert not [statement for statement in said if statement.startswith("UPDATE")]


async def test_what_a_key_may_not_do_is_no_use_of_it(desk: Desk) -> None:
    await desk.sign_in()
    _answer, key = await make(desk, **FORM)
    headers = {"authorization": f"Bearer {key}"}
    await desk.http.post("/api/v1/newsletters/weekly/exports", json={}, headers=headers)
    assert [row.used_on for row in await desk.site.all(ApiKey)] == [None]


async def test_every_scope_is_offered_with_what_it_means(desk: Desk) -> None:
    await desk.sign_in()
    page = (await desk.http.get(KEYS)).text
    assert not [scope for scope in Scope if f'name="scope-{scope}"' not in page]
