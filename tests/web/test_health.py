"""Health and metrics: ready only with a database and a living worker; metrics only with their token (RULES H8)."""

import json
from datetime import timedelta

import pytest
from sqlmodel import col, delete, select

from newsletter.database import Database, database_seconds, insert
from newsletter.delivery.tables import Block, Mailing, MailingState
from newsletter.hearts import Heartbeat
from newsletter.mail.tables import Letter
from tests.web.site import METRICS_TOKEN, SLUG, Site


async def beat(site: Site, seconds_ago: float) -> None:
    async with site.installation.database.write() as session:
        await session.execute(delete(Heartbeat).where(col(Heartbeat.worker) == "w"))
        values = {"worker": "w", "seen_at": database_seconds() - seconds_ago}
        await session.execute(insert(session, Heartbeat).values(values))


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


async def test_a_letter_that_was_put_off_has_waited_since_it_was_written(site: Site) -> None:
    """With the relay down, every letter is put off again and again."""
    await site.api("POST", f"/newsletters/{SLUG}/signups", {"email": "kari@example.com", "agreed": True})
    async with site.installation.database.write() as session:
        letter = (await session.exec(select(Letter))).one()
        letter.created_at = site.installation.clock.now() - timedelta(minutes=10)
        letter.due_at = site.installation.clock.now() + timedelta(minutes=2)
    await beat(site, 1)
    answer = await site.browser.get("/health/ready")
    assert (answer.status_code, answer.json()["queue_seconds"]) == (200, 600.0)


async def test_a_mailing_that_nobody_takes_up_has_waited_since_its_work_was_due(site: Site) -> None:
    issue_id = await site.draft()
    async with site.installation.database.write() as session:
        seconds = (await session.exec(select(database_seconds()))).one()
        now = site.installation.clock.now()
        session.add(
            Mailing(
                id="m",
                issue_id=issue_id,
                newsletter_id=site.newsletter.id,
                state=MailingState.SENDING,
                created_at=now,
                starts_at=now,
                started_at=now - timedelta(days=3650),
            )
        )
        await session.flush()
        for number, due_at in enumerate((seconds - 300, seconds + 300)):
            session.add(Block(mailing_id="m", number=number, first=0, last=9, done_to=0, marked_to=0, due_at=due_at))
    await beat(site, 1)
    assert 300 <= (await site.browser.get("/health/ready")).json()["queue_seconds"] < 330
    async with site.installation.database.write() as session:
        block = await session.get_one(Block, ("m", 1))
        block.leased_until = seconds + 180
    assert (await site.browser.get("/health/ready")).json()["queue_seconds"] == 0
