"""API keys open what their scopes say, and nothing else (RULES H8)."""

import pytest

from newsletter.editors import keys
from newsletter.editors.keys import Scope
from newsletter.editors.tables import ApiKey
from newsletter.errors import InvalidInput
from newsletter.tokens import fingerprint, new_id
from tests.editors.desk import Desk

SEARCH = "/api/v1/newsletters/weekly/subscribers/search"
BEHIND = {
    Scope.SUBSCRIBERS: ("POST", SEARCH, {}),
    Scope.ISSUES: ("POST", "/api/v1/newsletters/weekly/issues", {"subject": "Hi", "body": "Hello"}),
    Scope.SEND: ("POST", f"/api/v1/issues/{new_id()}/mailing", {}),
    Scope.READ: ("GET", "/api/v1/newsletters/weekly/notices", None),
    Scope.FIGURES: ("GET", f"/api/v1/issues/{new_id()}/figures", None),
    Scope.IMPORT: ("GET", f"/api/v1/imports/{new_id()}", None),
    Scope.EXPORT: ("POST", "/api/v1/newsletters/weekly/exports", {}),
}


async def key(desk: Desk, *scopes: str) -> str:
    """Make a key."""
    async with desk.site.installation.database.write() as session:
        return await keys.create(session, desk.site.installation.clock, "website", scopes)


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("held", Scope)
async def test_a_key_opens_its_own_scope_alone(desk: Desk, scope: Scope, held: Scope) -> None:
    method, path, body = BEHIND[scope]
    headers = {"authorization": f"Bearer {await key(desk, held)}"}
    before = await desk.site.rows()
    answer = await desk.http.request(method, path, json=body, headers=headers)
    if scope is held:
        assert answer.status_code not in (401, 403), answer.text
        return
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert f"`{scope}`" in answer.json()["detail"]
    assert await desk.site.rows() == before


async def test_a_key_without_named_scopes_has_them_all(desk: Desk) -> None:
    headers = {"authorization": f"Bearer {await key(desk)}"}
    for method, path, body in BEHIND.values():
        assert (await desk.http.request(method, path, json=body, headers=headers)).status_code not in (401, 403)


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nl_unknown",
        "Basic bmw6bmw=",
        "nl_unknown",
        "Bearer \xe9",
        "Bearer " + "x" * 9000,
    ],
)
async def test_without_a_known_key_it_is_closed(desk: Desk, given: str | None) -> None:
    await key(desk)
    for method, path, body in BEHIND.values():
        headers = {} if given is None else {b"authorization": given.encode("latin-1")}
        answer = await desk.http.request(method, path, json=body, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_is_shown_once_and_stored_as_its_hash(desk: Desk) -> None:
    """RULES H5."""
    made = await key(desk, "issues", "send")
    (row,) = await desk.site.all(ApiKey)
    assert made.startswith("nl_")
    assert len(made) >= 46
    assert (row.key_hash, row.scopes) == (fingerprint(made), "issues send")
    assert made not in repr(await desk.site.rows())
    assert await key(desk) != made


async def test_a_console_session_does_not_open_the_api(desk: Desk) -> None:
    await desk.sign_in()
    assert (await desk.http.post(SEARCH, json={})).status_code == 401


@pytest.mark.parametrize(
    ("name", "scopes"), [("", []), ("  ", []), ("x" * 101, []), ("a\nb", []), ("website", ["everything"])]
)
async def test_a_key_that_can_not_be_is_refused(desk: Desk, name: str, scopes: list[str]) -> None:
    async with desk.site.installation.database.write() as session:
        with pytest.raises(InvalidInput):
            await keys.create(session, desk.site.installation.clock, name, scopes)
