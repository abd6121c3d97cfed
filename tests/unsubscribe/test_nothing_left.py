"""After the last goodbye nothing of the person is left in any table (RULES C1, promise P2)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from newsletter import schema
from newsletter.clock import TurnedClock
from newsletter.personal import declarations
from newsletter.tokens import new_id
from tests.signup.site import Rows, Site

KARI = {"given_name": "Kåre-Øyvind", "family_name": "Ødegård", "title": "Oberredaktør", "employer": "Bær & Sønner AS"}
ADDRESS = "kåre@example.com"


async def add(site: Site, table: str, **values: Any) -> None:
    """Store a row."""
    async with site.installation.database.write() as session:
        await session.execute(insert(schema.METADATA.tables[table]).values(values))


async def live_a_full_life(site: Site, clock: TurnedClock) -> str:
    """Kåre subscribes, is mailed an issue, asks again and has a dead signal; give his unsubscribe link."""
    path = await site.subscribe(ADDRESS, **KARI)
    await site.ask(ADDRESS, **KARI)
    (kari,) = [person for person in await site.people() if person.email == ADDRESS]
    (subscription,) = [row for row in await site.subscriptions() if row.subscriber_id == kari.id]
    now, issue, mailing = clock.now(), new_id(), new_id()
    newsletter = {"newsletter_id": site.weekly.id}
    await add(site, "issue", id=issue, **newsletter, number=1, subject="Hi", body="x", created_at=now, updated_at=now)
    await add(
        site,
        "mailing",
        id=mailing,
        issue_id=issue,
        **newsletter,
        state="sending",
        audience=1,
        created_at=now,
        starts_at=now,
    )
    await add(site, "delivery", mailing_id=mailing, number=0, subscription_id=subscription.id)
    await add(site, "result", mailing_id=mailing, number=0, attempt=1, outcome="delivered")
    await add(
        site,
        "dead_signal",
        subscriber_id=kari.id,
        domain_tag="t",
        enhanced="5.1.1",
        state="held",
        at=now,
        mailing_id=mailing,
    )
    return path


def naming(rows: Rows, *needles: str) -> list[str]:
    """Give the tables that hold any of the texts, in any column."""
    return [name for name, lines in rows.items() if any(needle in repr(lines) for needle in needles)]


async def test_the_person_is_gone_from_every_table_and_the_figures_stay(site: Site, clock: TurnedClock) -> None:
    alice = await site.subscribe("alice@example.com", given_name="Alice")
    path = await live_a_full_life(site, clock)
    before = await site.rows()
    ids = [person.id for person in await site.people() if person.given_name != "Alice"]
    ids += [row.id for row in await site.subscriptions() if row.subscriber_id in ids]
    of_kari = [ADDRESS, *KARI.values(), *ids]
    assert {"subscriber", "subscription", "agreement", "delivery", "dead_signal", "letter"} <= set(
        naming(before, *of_kari)
    )

    assert (await site.http.post(path)).status_code == 200

    after = await site.rows()
    assert naming(after, *of_kari) == []
    assert after["result"] == before["result"]
    assert after["mailing"] == before["mailing"]
    assert [person.email for person in await site.people()] == ["alice@example.com"]
    assert (await site.http.get(alice)).status_code == 200


async def test_the_last_person_leaves_empty_every_table_that_is_about_people(site: Site, clock: TurnedClock) -> None:
    path = await live_a_full_life(site, clock)
    await site.http.post(path)
    rows = await site.rows()
    about_people = {column.table.name for column, _declared in declarations(schema.METADATA)} - {"editor"}
    about_people -= {"receipt", "tombstone"}  # Keyed tags, which name nobody (RULES C2, C3).
    assert {name for name in about_people | {"letter", "delivery", "agreement_event"} if rows[name]} == set()


@pytest.mark.parametrize("at_once", [2, 4])
async def test_last_subscriptions_that_end_at_the_same_moment_delete_the_person(site: Site, at_once: int) -> None:
    """Neither may take the other for the last one."""
    slugs = [f"letter-{number}" for number in range(at_once)]
    for slug in slugs:
        await site.open(slug)
    for round_number in range(4):
        email = f"kari{round_number}@example.com"
        paths = [await site.subscribe(email, slug) for slug in slugs]
        answers = await asyncio.gather(*(site.http.post(path) for path in paths))
        assert [answer.status_code for answer in answers] == [200] * at_once
        assert await site.people() == []
    rows = await site.rows()
    assert rows["subscription"] == rows["agreement"] == rows["agreement_event"] == []


async def test_one_subscription_that_is_ended_by_many_at_once_ends_once(site: Site) -> None:
    await site.open("monthly")
    for round_number in range(3):
        email = f"kari{round_number}@example.com"
        await site.subscribe(email, "monthly")
        path = await site.subscribe(email)
        answers = await asyncio.gather(*(site.http.post(path) for _ in range(5)))
        assert [answer.status_code for answer in answers] == [200] * 5
        assert (await site.happened()).count("withdrawn") == round_number + 1


async def test_leaving_and_coming_back_at_the_same_moment_ends_well(site: Site, clock: TurnedClock) -> None:
    """Whoever comes first: Kari is subscribed under a new agreement, or not at all, and nobody meets an error."""
    for round_number in range(8):
        email = f"kari{round_number}@example.com"
        path = await site.subscribe(email)
        clock.turn(clock.now() + timedelta(minutes=1))
        await site.ask(email)
        confirm = await site.confirmation_path(email)
        left, back = await asyncio.gather(site.http.post(path), site.http.post(confirm))
        assert left.status_code == 200
        assert back.status_code in (200, 410)
        people, subscriptions = await site.people(), await site.subscriptions()
        assert len(people) == len(subscriptions)
        assert len(await site.agreements()) >= len(subscriptions)
