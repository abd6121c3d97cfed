"""The API's promises: scopes, states and shapes (DESIGN §8)."""

import json

import pytest

from newsletter.editors import keys
from newsletter.editors.keys import Scope
from tests.web.site import SLUG, Site

NOBODY = "a" * 26
OPERATIONS = {
    ("POST", f"/newsletters/{SLUG}/issues"): Scope.ISSUES,
    ("GET", f"/issues/{NOBODY}"): Scope.ISSUES,
    ("GET", f"/issues/{NOBODY}/mailing"): Scope.ISSUES,
    ("POST", f"/issues/{NOBODY}/mailing"): Scope.SEND,
    ("POST", f"/issues/{NOBODY}/mailing/pause"): Scope.SEND,
    ("POST", f"/issues/{NOBODY}/mailing/resume"): Scope.SEND,
    ("POST", f"/issues/{NOBODY}/mailing/cancel"): Scope.SEND,
    ("GET", f"/issues/{NOBODY}/mailing/refusals"): Scope.ISSUES,
    ("GET", f"/issues/{NOBODY}/mailing/in-doubt"): Scope.SUBSCRIBERS,
    ("POST", f"/issues/{NOBODY}/mailing/in-doubt/resend"): Scope.SEND,
    ("POST", f"/issues/{NOBODY}/mailing/in-doubt/let-be"): Scope.SEND,
    ("GET", f"/issues/{NOBODY}/figures"): Scope.FIGURES,
    ("POST", f"/newsletters/{SLUG}/subscribers/search"): Scope.SUBSCRIBERS,
}


async def key_with(site: Site, *scopes: Scope) -> str:
    async with site.installation.database.write() as session:
        return await keys.create(session, site.installation.clock, "test", scopes)


async def test_a_key_opens_what_its_scope_names_and_nothing_else(site: Site) -> None:
    """RULES H8: sending is a scope of its own."""
    made = {scope: await key_with(site, scope) for scope in Scope}
    for (method, path), needed in OPERATIONS.items():
        for scope, key in made.items():
            status = (await site.api(method, path, {} if method == "POST" else None, key=key)).status_code
            assert (status != 403) == (scope == needed), (method, path, scope)
            assert status != 401
        assert (await site.api(method, path, {}, key="nl_unknown")).status_code == 401


async def test_the_description_names_each_scope(site: Site) -> None:
    paths = (await site.browser.get("/api/openapi.json")).json()["paths"]
    for (method, path), needed in OPERATIONS.items():
        template = f"/api/v1{path}".replace(SLUG, "{slug}").replace(NOBODY, "{issue_id}")
        assert paths[template][method.lower()]["security"] == [{"key": [needed]}]
    assert paths["/api/v1/newsletters/{slug}/signups"]["post"]["security"] == [{}]
    docs = (await site.browser.get("/api/docs")).text
    assert all(f"<code>{scope}</code>" in docs for scope in Scope)


async def test_the_counts_of_a_mailing_have_these_names(site: Site) -> None:
    issue = await site.draft()
    answer = await site.api("POST", f"/issues/{issue}/mailing")
    assert answer.status_code == 202
    counts = dict.fromkeys(("queued", "delivered", "deferred", "refused", "in_doubt", "withdrawn"), 0)
    told = dict.fromkeys(("rate", "seconds_left", "trouble"), None) | {"starts_at": "2026-11-02T09:00:00Z"}
    assert answer.json() == {"state": "scheduled", "audience": 0} | counts | told
    assert (await site.api("GET", f"/issues/{issue}/figures")).json()["opens"] == {
        "total": 0,
        "unique": 0,
        "machine": 0,
    }


@pytest.mark.parametrize(
    ("verbs", "state"),
    [(("pause",), "paused"), (("pause", "resume"), "scheduled"), (("cancel",), "cancelled")],
)
async def test_a_mailing_is_steered(site: Site, verbs: tuple[str, ...], state: str) -> None:
    issue = await site.draft()
    await site.api("POST", f"/issues/{issue}/mailing")
    for verb in verbs:
        assert (await site.api("POST", f"/issues/{issue}/mailing/{verb}")).status_code == 200
    assert (await site.api("GET", f"/issues/{issue}/mailing")).json()["state"] == state


async def test_a_step_that_can_not_be_taken_is_a_conflict(site: Site) -> None:
    issue = await site.draft()
    assert (await site.api("POST", f"/issues/{issue}/mailing/pause")).status_code == 404
    await site.api("POST", f"/issues/{issue}/mailing")
    for path in (f"/issues/{issue}/mailing/resume", f"/issues/{issue}/mailing"):
        answer = await site.api("POST", path)
        assert (answer.status_code, answer.json()["status"]) == (409, 409)


async def test_the_longest_issue_is_taken_however_it_is_written(site: Site) -> None:
    """A character may be twelve octets of JSON; the limit is on characters."""
    long = json.dumps({"subject": "Hello", "body": "\N{OPEN BOOK}" * 200_000}).encode()
    headers = {"authorization": f"Bearer {site.key}", "content-type": "application/json"}
    path = f"/api/v1/newsletters/{SLUG}/issues"
    assert (await site.browser.post(path, content=long, headers=headers)).status_code == 201
    longer = json.dumps({"subject": "Hello", "body": "\N{OPEN BOOK}" * 200_001}).encode()
    assert (await site.browser.post(path, content=longer, headers=headers)).status_code == 422


async def test_a_signup_is_answered_alike_for_everybody(site: Site) -> None:
    """RULES H3, P7."""
    answers = [
        await site.api("POST", f"/newsletters/{SLUG}/signups", {"email": email, "agreed": True}, key="")
        for email in ("new@example.com", "new@example.com", "NEW@example.com")
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, "{}")}
