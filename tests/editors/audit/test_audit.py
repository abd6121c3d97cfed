"""Whoever reads or changes somebody leaves a trace, which names nobody (RULES B6)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlmodel import col, select

from newsletter.addresses import read_address
from newsletter.clock import TurnedClock
from newsletter.editors import accounts
from newsletter.editors.audit import search as audit_search
from newsletter.editors.audit.actions import CLI, NOBODY, Act, note
from newsletter.editors.audit.search import Wanted
from newsletter.editors.audit.tables import AuditEntry
from newsletter.editors.tables import ApiKey, Editor
from newsletter.installation import Installation
from newsletter.subscribers.actions import enter, subscribe
from newsletter.subscribers.tables import Subscriber
from tests.journeys.story import EDITOR
from tests.web.site import SLUG, Site, running_site

PEOPLE = f"/console/newsletters/{SLUG}/subscribers"


@pytest.fixture
async def site(sqlite_installation: Installation) -> AsyncIterator[Site]:
    async with running_site(sqlite_installation) as opened:
        yield opened


async def subscribed(site: Site, count: int) -> list[str]:
    """Let so many people be subscribed; give their ids."""
    ids = []
    async with site.installation.database.write() as session:
        for number in range(count):
            address = read_address(f"kari{number}@example.com")
            person = await enter(session, site.installation.clock, address, "nb", {"family_name": "Nordmann"})
            await subscribe(session, site.installation.clock, person.id, site.newsletter.id)
            ids.append(person.id)
    return ids


async def trail(site: Site, act: Act | None = None) -> list[AuditEntry]:
    async with site.installation.database.read() as session:
        query = select(AuditEntry).order_by(col(AuditEntry.at), col(AuditEntry.id))
        return list((await session.exec(query if act is None else query.where(AuditEntry.act == act))).all())


async def olga(site: Site) -> str:
    async with site.installation.database.read() as session:
        editor = await accounts.by_address(session, EDITOR)
    assert editor is not None
    return editor.id


async def test_who_was_looked_up_is_noted_by_id_and_a_list_by_its_length(site: Site) -> None:
    people = await subscribed(site, 12)
    await site.sign_in()
    await site.browser.get(PEOPLE)
    await site.post_form(PEOPLE, PEOPLE, query="kari7@example.com")
    (listed, again), (looked_up,) = (
        await trail(site, Act.SUBSCRIBERS_LISTED),
        await trail(site, Act.SUBSCRIBERS_SEARCHED),
    )
    assert (listed.count, listed.subject_id, listed.newsletter_id) == (12, None, site.newsletter.id)
    assert again.actor == looked_up.actor == await olga(site)
    assert looked_up.subject_id == people[7]


async def test_the_trail_holds_no_address_no_name_and_nothing_that_was_typed(site: Site) -> None:
    (person,) = await subscribed(site, 1)
    await site.sign_in()
    await site.post_form("/console/sign-in", "/console/sign-in", email="stranger@example.com", password="hunter2")
    await site.post_form(PEOPLE, PEOPLE, query="Nordmann")
    await site.post_form(PEOPLE, PEOPLE, query="Hansen")
    said = repr([entry.model_dump() for entry in await trail(site)])
    assert person in said
    for typed in ("kari", "ordmann", "ansen", "stranger", "hunter2", "example.com"):
        assert typed not in said


async def test_an_api_key_and_a_failed_sign_in_are_noted(site: Site) -> None:
    await subscribed(site, 1)
    await site.api("POST", f"/newsletters/{SLUG}/subscribers/search", {"email": "kari0@example.com"})
    await site.post_form("/console/sign-in", "/console/sign-in", email=EDITOR, password="not this one")
    await site.post_form("/console/sign-in", "/console/sign-in", email="nobody@example.com", password="x")
    async with site.installation.database.read() as session:
        key = (await session.exec(select(ApiKey))).one()
    assert [entry.actor for entry in await trail(site, Act.SUBSCRIBERS_SEARCHED)] == [f"key/{key.id}"]
    assert {entry.actor for entry in await trail(site, Act.SIGN_IN_FAILED)} == {await olga(site), NOBODY}


async def test_head_shows_nothing_and_leaves_no_trace(site: Site) -> None:
    await site.sign_in()
    before = len(await trail(site))
    for path in (PEOPLE, "/console/audit", "/console/returned"):
        assert (await site.browser.head(path)).status_code == 200
    assert len(await trail(site)) == before


async def test_what_an_editor_sends_and_decides_is_noted(site: Site) -> None:
    await subscribed(site, 1)
    await site.sign_in()
    issue = await site.draft()
    page = f"/console/issues/{issue}"
    await site.post_form(page, page, subject="Hello", body="Anew")
    await site.post_form(page, f"{page}/mailing")
    for verb in ("pause", "resume", "cancel"):
        await site.post_form(f"{page}/mailing", f"{page}/mailing/{verb}")
    await site.post_form(f"/console/newsletters/{SLUG}", f"/console/newsletters/{SLUG}", name="Weekly")
    done = [entry.act for entry in await trail(site) if entry.subject_id == issue or entry.act.startswith("newsletter")]
    expected = ["issue_begun", "issue_changed", "mailing_scheduled", "mailing_paused", "mailing_resumed"]
    assert sorted(done) == sorted([*expected, "mailing_cancelled", "newsletter_changed"])


async def test_the_trail_outlives_the_person_and_points_nowhere(site: Site) -> None:
    (person,) = await subscribed(site, 1)
    await site.sign_in()
    await site.post_form(PEOPLE, PEOPLE, query="kari0@example.com")
    async with site.installation.database.write() as session:
        await session.delete(await session.get_one(Subscriber, person))
    assert [entry.subject_id for entry in await trail(site, Act.SUBSCRIBERS_SEARCHED)] == [person]


async def test_pages_follow_each_other_without_gap_or_overlap(installation: Installation, clock: TurnedClock) -> None:
    async with installation.database.write() as session:
        for number in range(25):
            if number % 5 == 0:
                clock.turn(clock.now() + timedelta(microseconds=1))
            await note(session, installation, CLI, Act.PERSON_READ, count=number)
    seen: list[int | None] = []
    after: str | None = None
    async with installation.database.read() as session:
        while after is not None or not seen:
            found = await audit_search.search(session, Wanted(actor=CLI), after, limit=7)
            seen += [entry.count for entry in found.items]
            after = found.next
    assert sorted(seen, key=lambda count: count or 0) == list(range(25))
    assert [count // 5 for count in seen if count is not None] == sorted([n // 5 for n in range(25)], reverse=True)


async def test_a_removed_editor_is_named_in_the_trail_until_it_ends(site: Site, clock: TurnedClock) -> None:
    await site.sign_in()
    async with site.installation.database.write() as session:
        await accounts.remove(session, clock, EDITOR)
    assert (await site.browser.get("/console/audit", follow_redirects=False)).status_code == 303
    async with site.installation.database.write() as session:
        (gone,) = (await session.exec(select(Editor))).all()
        assert (gone.name, gone.email, gone.password_hash) == ("Olga", "", "")
        assert gone.id in await audit_search.actors(session)
        await accounts.add(session, clock, EDITOR, "Olga again", "a long enough password")
    clock.turn(clock.now() + timedelta(days=24 * 30 + 1))
    async with site.installation.database.write() as session:
        assert await accounts.purge_removed(session, site.installation) == 1
