"""Health and metrics: ready only with a database and a living worker; metrics only with their token (RULES H8)."""

import json

import pytest
from sqlmodel import col, delete

from newsletter.database import Database, database_seconds
from newsletter.jobs import Heartbeat
from tests.web.site import METRICS_TOKEN, SLUG, Site


async def beat(site: Site, seconds_ago: float) -> None:
    async with site.installation.database.write() as session:
        await session.execute(delete(Heartbeat).where(col(Heartbeat.worker) == "w"))
        values = {"worker": "w", "seen_at": database_seconds() - seconds_ago}
        await session.execute(Heartbeat.__table__.insert().values(values))  # type: ignore[attr-defined]


async def test_it_lives_and_is_ready_only_with_a_living_worker(site: Site) -> None:
    assert (await site.browser.get("/health/live")).status_code == 200
    answer = await site.browser.get("/health/ready")
    assert (answer.status_code, answer.json()["worker"]) == (503, "no sign of life")
    await beat(site, 1)
    answer = await site.browser.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    await beat(site, 60)
    assert (await site.browser.get("/health/ready")).status_code == 503


async def test_it_is_not_ready_without_its_database(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await beat(site, 1)

    def gone(_: Database) -> None:
        raise OSError("the socket of the database")

    monkeypatch.setattr(Database, "read", gone)
    answer = await site.browser.get("/health/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, "unreachable")
    assert "socket" not in answer.text
    assert (await site.browser.get("/health/live")).status_code == 200


@pytest.mark.parametrize("given", [None, "Bearer ", "Bearer wrong", METRICS_TOKEN[:-1]])
async def test_metrics_are_refused_without_their_token(site: Site, given: str | None) -> None:
    answer = await site.browser.get("/metrics", headers={"authorization": given} if given else {})
    assert answer.status_code == 401
    assert "newsletter_" not in answer.text


async def test_metrics_count_and_name_nobody(site: Site) -> None:
    await site.api("POST", f"/newsletters/{SLUG}/signups", {"email": "kari@example.com", "agreed": True})
    await beat(site, 1)
    answer = await site.browser.get("/metrics", headers={"authorization": f"Bearer {METRICS_TOKEN}"})
    assert answer.status_code == 200
    assert "newsletter_letters_waiting 1.0" in answer.text
    assert 'newsletter_deliveries{outcome="delivered"} 0.0' in answer.text
    assert "kari" not in answer.text
    assert not json.dumps(answer.text).count("@")
