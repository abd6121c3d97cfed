"""An editor answers a letter in the console: finds the person, makes sure who asks, does what is asked, closes."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from httpx import Response
from sqlmodel import select

from newsletter.clock import TurnedClock
from newsletter.editors.audit.tables import AuditEntry
from newsletter.installation import Installation
from newsletter.rights.desk import actions as desk
from newsletter.subscribers.tables import Subscriber
from tests.journeys.story import hidden_fields
from tests.rights.desk.at_the_desk import KARI, subscribed
from tests.web.site import SLUG, Site, running_site

DESK = "/console/rights"
ERASURE = {"kind": "erasure", "arrival": "letter", "received_on": "2026-11-02", "who": "Kari Ramstad", "address": KARI}


@pytest.fixture
async def site(sqlite_installation: Installation) -> AsyncIterator[Site]:
    async with running_site(sqlite_installation) as opened:
        yield opened


async def registered(site: Site, **changed: str) -> str:
    """Register the letter; give the address of its page."""
    answer = await site.post_form(DESK, DESK, **ERASURE | {"note": ""} | changed)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def press(site: Site, page: str, action: str, **fields: str) -> Response:
    """Send the form of a page that goes to `action`, with its own hidden fields."""
    html = (await site.browser.get(page)).text
    form = re.search(rf'<form[^>]*action="{action}".*?</form>', html, re.DOTALL)
    hidden = hidden_fields(form[0]) if form else hidden_fields(html)
    return await site.browser.post(action, data=hidden | fields, follow_redirects=False)


async def acts(site: Site) -> list[tuple[str, str | None]]:
    async with site.installation.database.read() as session:
        return [(one.act, one.subject_id) for one in (await session.exec(select(AuditEntry))).all()]


async def test_from_the_letter_to_the_answer(site: Site) -> None:
    person = await subscribed(site.installation, site.newsletter)
    await site.sign_in()
    request = await registered(site)
    shown = (await site.browser.get(request)).text
    assert "2026-12-02" in shown
    assert "Not checked yet" in shown
    home = f"/console/people/{person.id}"
    assert home in shown
    refused = await press(site, home, f"{home}/erase")
    assert refused.status_code == 409
    assert "Nobody knows yet" in refused.text
    assert (await press(site, request, f"{request}/identity", identity="called back")).status_code == 303
    assert (await press(site, home, f"{home}/erase")).headers["location"] == request
    assert (await site.browser.get(home)).status_code == 404
    gone = (await site.browser.get(request)).text
    assert "has been erased" in gone
    assert KARI not in gone
    assert (await press(site, request, f"{request}/answer", outcome="fulfilled")).status_code == 303
    closed = (await site.browser.get(DESK)).text
    assert "Done as asked" in closed
    assert "Ramstad" not in closed
    trail = await acts(site)
    assert {("person_read", person.id), ("person_erased", person.id)} <= set(trail)
    assert {"request_entered", "request_answered", "request_read", "requests_listed"} <= {act for act, _ in trail}


async def test_a_correction_and_a_restriction_answer_a_request_and_nothing_is_done_without_one(site: Site) -> None:
    person = await subscribed(site.installation, site.newsletter)
    home = f"/console/people/{person.id}"
    await site.sign_in()
    for act in ("correct", "restrict", "erase", "object", "copy"):
        assert (await press(site, home, f"{home}/{act}", family_name="Berg")).status_code == 409, act
    request = await registered(site, kind="rectification")
    await press(site, request, f"{request}/identity", identity="mailed back")
    wrong = await press(site, home, f"{home}/correct", family_name="https://example.com")
    assert wrong.status_code == 422
    assert "https://example.com" in wrong.text
    assert (await press(site, home, f"{home}/correct", family_name="Berg", language="nn")).status_code == 303
    assert (await press(site, home, f"{home}/restrict")).status_code == 303
    async with site.installation.database.read() as session:
        held = await session.get_one(Subscriber, person.id)
        steps = [one.kind for one in await desk.steps_of(session, request.rpartition("/")[2])]
    assert (held.family_name, held.language, held.restricted_at is not None) == ("Berg", "nn", True)
    assert sorted(steps) == ["corrected", "identified", "registered", "restricted"]


async def test_a_copy_is_in_the_persons_language_and_noted(site: Site) -> None:
    person = await subscribed(site.installation, site.newsletter)
    home = f"/console/people/{person.id}"
    await site.sign_in()
    request = await registered(site, kind="access")
    await press(site, request, f"{request}/identity", identity="mailed back")
    document = await press(site, home, f"{home}/copy", format="html")
    assert document.headers["content-language"] == "nb"
    assert KARI in document.text
    file = await press(site, home, f"{home}/copy", format="json")
    assert file.json()["person"]["email"] == KARI
    assert file.headers["cache-control"] == "no-store"
    assert ("person_exported", person.id) in await acts(site)


async def test_overdue_requests_are_loud_on_every_page(site: Site, clock: TurnedClock) -> None:
    await site.sign_in()
    await registered(site, address="")
    pages = ("/console/newsletters", f"/console/newsletters/{SLUG}/subscribers", "/console/pace", DESK)
    for day, loud in ((2, False), (3, True)):
        clock.turn(datetime(2026, 12, day, 9, tzinfo=UTC))
        await site.sign_in()
        for page in pages:
            assert ("One rights request is overdue" in (await site.browser.get(page)).text) is loud, page


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"kind": "gift"}, "kind"), ({"received_on": "yesterday"}, "received_on"), ({"address": "kari"}, "address")],
)
async def test_a_wrong_field_is_named_and_nothing_typed_is_lost(
    site: Site, changed: dict[str, str], field: str
) -> None:
    await site.sign_in()
    answer = await site.post_form(DESK, DESK, **ERASURE | {"note": "by hand"} | changed)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text or f'href="#{field}"' in answer.text
    assert "by hand" in answer.text
    assert "Kari Ramstad" in answer.text


async def test_an_address_stands_in_no_link_and_an_unknown_one_is_said_to_be_so(site: Site) -> None:
    await subscribed(site.installation, site.newsletter)
    await site.sign_in()
    request = await registered(site, address="")
    unknown = await press(site, request, f"{request}/person", address="nobody@example.com")
    assert unknown.status_code == 422
    assert "Nobody subscribes with this address" in unknown.text
    assert (await press(site, request, f"{request}/person", address=KARI)).headers["location"] == request
    page = (await site.browser.get(request)).text
    assert KARI in page
    assert not [link for link in re.findall(r'(?:href|action)="([^"]*)"', page) if "@" in link]
