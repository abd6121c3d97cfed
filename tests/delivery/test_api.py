"""Mailings over the API: planned, watched, and decided about where somebody is in doubt (DESIGN §8)."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from newsletter.delivery import actions
from newsletter.delivery.tables import Block, Mailing
from tests.delivery.cast import finish, send, subscribe
from tests.support.peer import SmtpPeer
from tests.web.site import Site

READERS = ["kari@example.com", "ola@example.com", "siri@example.com"]


async def put_on_its_way(site: Site) -> tuple[str, Mailing]:
    """Let the mailing of a new issue to three readers begin; give the issue's id, too."""
    await subscribe(site.installation, site.newsletter, READERS)
    issue = await site.draft()
    assert (await site.api("POST", f"/issues/{issue}/mailing")).status_code == 202
    async with site.installation.database.write() as session:
        await actions.start_due(session, site.installation.clock)
        return issue, (await session.exec(select(Mailing))).one()


@pytest.fixture
async def doubtful(site: Site, peer: SmtpPeer) -> str:
    """Give an issue that two readers may or may not have got, and that was refused by a third."""
    peer.hang_up("kari@example.com")
    peer.hang_up("ola@example.com")
    peer.refuse("siri@example.com", "550 5.7.1 <siri@example.com> blocked by policy")
    issue, mailing = await put_on_its_way(site)
    await send(site.installation, peer, mailing, connections=1)
    await finish(site.installation)
    return issue


async def test_an_issue_is_planned_for_a_time_to_come(site: Site) -> None:
    issue = await site.draft()
    tomorrow = site.installation.clock.now() + timedelta(days=1)
    answer = await site.api("POST", f"/issues/{issue}/mailing", {"starts_at": "2026-11-03T10:00:00+01:00"})
    assert answer.status_code == 202
    assert answer.json()["state"] == "scheduled"
    assert datetime.fromisoformat(answer.json()["starts_at"]).astimezone(UTC) == tomorrow
    await site.api("POST", f"/issues/{issue}/mailing/pause")
    resumed = (await site.api("POST", f"/issues/{issue}/mailing/resume")).json()
    assert datetime.fromisoformat(resumed["starts_at"]).astimezone(UTC) == tomorrow


@pytest.mark.parametrize(
    ("starts_at", "why"),
    [
        ("2026-11-01T09:00:00Z", "has passed"),
        ("2036-11-01T09:00:00Z", "more than a year ahead"),
        ("2026-11-03T09:00:00", "with its offset"),
        ("tomorrow", "with its offset"),
        # Litestar 2.25 takes the texts for nothing and for seconds since 1970, and a mailing without a time begins at
        # once.
        ("null", "with its offset"),
        ("Null", "with its offset"),
        ("1793700000", "with its offset"),
        (0, "with its offset"),
        (1793700000, "with its offset"),
        (True, "with its offset"),
    ],
)
async def test_a_time_that_can_not_be_taken_is_named(site: Site, starts_at: object, why: str) -> None:
    issue = await site.draft()
    answer = await site.api("POST", f"/issues/{issue}/mailing", {"starts_at": starts_at})
    assert answer.status_code == 422
    assert why in answer.json()["fields"]["starts_at"]
    assert (await site.api("GET", f"/issues/{issue}/mailing")).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{}", b'{"starts_at": null}', b"null"])
async def test_without_a_time_it_leaves_at_once(site: Site, body: bytes) -> None:
    issue = await site.draft()
    headers = {"authorization": f"Bearer {site.key}"} | ({"content-type": "application/json"} if body else {})
    answer = await site.browser.post(f"/api/v1/issues/{issue}/mailing", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    assert datetime.fromisoformat(answer.json()["starts_at"]) == site.installation.clock.now()


async def test_a_body_that_is_no_json_is_refused(site: Site) -> None:
    issue = await site.draft()
    headers = {"authorization": f"Bearer {site.key}", "content-type": "text/plain"}
    path = f"/api/v1/issues/{issue}/mailing"
    assert (await site.browser.post(path, content=b"now", headers=headers)).status_code == 415


async def test_the_pace_and_what_is_in_the_way_are_told(site: Site) -> None:
    issue, _ = await put_on_its_way(site)
    standing = (await site.api("GET", f"/issues/{issue}/mailing")).json()
    assert [standing[name] for name in ("starts_at", "rate", "seconds_left", "trouble")] == [None] * 4
    async with site.installation.database.write() as session:
        mailing = (await session.exec(select(Mailing))).one()
        assert mailing.earlier_at
        mailing.earlier_at -= 60
        mailing.trouble = "Nobody listens on port 25 of the relay mail.example.com."
        (await session.exec(select(Block))).one().delivered = 1
    standing = (await site.api("GET", f"/issues/{issue}/mailing")).json()
    assert standing["rate"] == pytest.approx(1, rel=0.1)
    assert standing["seconds_left"] == pytest.approx(120, abs=10)
    assert "port 25" in standing["trouble"]


async def test_what_the_refusing_receivers_said_is_told_without_the_address(site: Site, doubtful: str) -> None:
    answer = await site.api("GET", f"/issues/{doubtful}/mailing/refusals")
    assert answer.json()["items"] == [
        {"stage": "rcpt", "code": 550, "enhanced": "5.7.1", "reply": "… blocked by policy", "count": 1}
    ]


async def test_who_is_in_doubt_is_listed_and_decided_about_singly(site: Site, peer: SmtpPeer, doubtful: str) -> None:
    path = f"/issues/{doubtful}/mailing/in-doubt"
    listed = (await site.api("GET", path)).json()
    ids = {each["email"]: each["id"] for each in listed["items"]}
    assert (set(ids), listed["next"]) == ({"kari@example.com", "ola@example.com"}, None)
    rest = (await site.api("GET", f"{path}?after={min(ids.values())}")).json()["items"]
    assert [each["id"] for each in rest] == [max(ids.values())]
    kari = {"ids": [ids["kari@example.com"]]}
    for decided in (1, 0):
        assert (await site.api("POST", f"{path}/let-be", kari)).json() == {"decided": decided}
    assert (await site.api("POST", f"{path}/resend", kari)).json() == {"decided": 0}
    assert (await site.api("POST", f"{path}/resend", {"ids": [ids["ola@example.com"]]})).json() == {"decided": 1}
    standing = (await site.api("GET", f"/issues/{doubtful}/mailing")).json()
    assert (standing["state"], standing["queued"], standing["in_doubt"]) == ("sending", 1, 1)
    assert (await site.api("GET", path)).json()["items"] == []


async def test_it_is_decided_for_all_at_once(site: Site, doubtful: str) -> None:
    path = f"/issues/{doubtful}/mailing/in-doubt"
    assert (await site.api("POST", f"{path}/resend", {"all": True})).json() == {"decided": 2}
    assert (await site.api("POST", f"{path}/let-be", {"all": True})).json() == {"decided": 0}


@pytest.mark.parametrize(
    "body", [{}, {"all": False}, {"ids": []}, {"ids": ["x"]}, {"ids": ["a" * 26], "all": True}, {"ids": None}]
)
async def test_a_decision_says_who_is_meant(site: Site, doubtful: str, body: dict[str, object]) -> None:
    for verb in ("resend", "let-be"):
        assert (await site.api("POST", f"/issues/{doubtful}/mailing/in-doubt/{verb}", body)).status_code == 422
    assert len((await site.api("GET", f"/issues/{doubtful}/mailing/in-doubt")).json()["items"]) == 2


async def test_where_nothing_can_be_decided_that_is_said(site: Site, doubtful: str) -> None:
    draft = await site.draft()
    assert (await site.api("GET", f"/issues/{draft}/mailing/in-doubt")).status_code == 404
    assert (await site.api("POST", f"/issues/{draft}/mailing/in-doubt/resend", {"all": True})).status_code == 404
    async with site.installation.database.write() as session:
        (await session.exec(select(Block))).one().leased_until = 9e9
    refused = await site.api("POST", f"/issues/{doubtful}/mailing/in-doubt/resend", {"all": True})
    assert (refused.status_code, "try again in a moment" in refused.json()["detail"]) == (409, True)
