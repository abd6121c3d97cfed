"""The public privacy notice says what is so, in three languages; the console changes it, and leaves a trace."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from httpx import Response
from sqlmodel import select

from newsletter.clock import TurnedClock
from newsletter.editors.audit.tables import AuditEntry
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from tests.delivery.cast import people, subscribe
from tests.web.site import SLUG, Site, running_site

CONSOLE = "/console/privacy"
RELAY = {"name": "<b>Mail & Co</b>", "purpose": "relays the mail", "country": "US", "transfer_ground": "EU clauses"}


@pytest.fixture
async def site(sqlite_installation: Installation) -> AsyncIterator[Site]:
    async with running_site(sqlite_installation) as opened:
        yield opened


async def put(site: Site, **fields: str) -> Response:
    return await site.post_form(CONSOLE, f"{CONSOLE}/processors", **{"id": ""} | fields)


async def acts(site: Site) -> list[tuple[str, int | None]]:
    async with site.installation.database.read() as session:
        return [(one.act, one.count) for one in (await session.exec(select(AuditEntry))).all()]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nb", ("Personvern", "Hvor lenge", "e-postadresse", "Rettighetene dine", "privacy@example.com")),
        ("nn", ("Personvern", "Kor lenge", "e-postadresse", "Rettane dine", "Example Books AS")),
        ("en", ("Privacy", "Until when", "e-mail address", "Your rights", "999 999 999")),
    ],
)
async def test_the_notice_is_public_and_leaves_nothing_behind(site: Site, language: str, said: tuple[str, ...]) -> None:
    page = await site.browser.get("/privacy", headers={"accept-language": language})
    assert page.status_code == 200
    assert page.headers["content-language"] == language
    assert "set-cookie" not in page.headers
    assert [one for one in (*said, 'href="/my"', "datatilsynet.no") if one not in page.text] == []


async def test_it_says_how_each_newsletter_measures_and_who_answers_for_it(site: Site, clock: TurnedClock) -> None:
    before = (await site.browser.get("/privacy?language=en")).text
    assert "We count how many open an issue" in before
    await site.sign_in()
    clock.turn(clock.now() + timedelta(minutes=1))
    given = {"controller_name": "Example Films AS", "privacy_contact": "films@example.com"}
    assert (await site.post_form(CONSOLE, f"{CONSOLE}/newsletters/{SLUG}", **given)).status_code == 303
    signup = (await site.browser.get(f"/newsletters/{SLUG}?language=en")).text
    assert "films@example.com" in signup  # a notice of our own is kept true
    async with site.installation.database.write() as session:
        newsletter = await session.get_one(Newsletter, site.newsletter.id)
        newsletter.measurement = "off"
    after = (await site.browser.get("/privacy?language=en")).text
    assert "We count how many open an issue" not in after
    assert "There is no pixel in the mail" in after
    assert "Example Films AS" in after


async def test_a_processor_is_named_with_its_ground_and_never_run(site: Site) -> None:
    assert "We run the service ourselves" in (await site.browser.get("/privacy?language=en")).text
    await site.sign_in()
    refused = await put(site, **RELAY | {"transfer_ground": ""})
    assert refused.status_code == 422
    assert "Outside the EEA" in refused.text
    assert "relays the mail" in refused.text
    assert (await put(site, **RELAY)).status_code == 303
    shown = (await site.browser.get("/privacy?language=nb")).text
    assert "&lt;b&gt;Mail &amp; Co" in shown
    assert "<b>Mail" not in shown
    assert "USA" in shown
    assert "EU clauses" in shown
    assert "privacy_changed" in {act for act, _count in await acts(site)}


async def test_who_was_told_of_an_erasure_is_written_down_without_a_name(site: Site) -> None:
    await site.sign_in()
    assert "nobody needs to be told" in (await site.browser.get(CONSOLE)).text
    await put(site, name="Arkiv AS", purpose="keeps an archive", country="NO", keeps_copies="1")
    page = (await site.browser.get(CONSOLE)).text
    (processor,) = {part.partition('"')[0] for part in page.split('name="processor"')[1].split('<option value="')[1:2]}
    told = {"processor": processor, "about": "erasure", "told_on": "2026-11-01"}
    for count, status in (("0", 422), ("many", 422), ("3", 303)):
        answer = await site.post_form(CONSOLE, f"{CONSOLE}/tellings", **told, count=count)
        assert answer.status_code == status, count
    assert "<td>erasures</td>" in (await site.browser.get(CONSOLE)).text


async def test_the_list_for_a_breach_is_noted_with_its_length(site: Site) -> None:
    await subscribe(site.installation, site.newsletter, ["=cmd@example.com", *people(2)])
    await site.sign_in()
    page = f"{CONSOLE}/breach/{SLUG}"
    assert "subscriber.email" in (await site.browser.get(page)).text
    answer = await site.post_form(page, f"{page}/list")
    assert answer.text.splitlines()[0] == "email,language,state"
    assert len(answer.text.splitlines()) == 4
    assert "'=cmd@example.com" in answer.text  # no formula for a spreadsheet (RULES H8)
    assert ("subscribers_exported", 3) in await acts(site)


async def test_the_record_is_there_for_paper_and_for_programs(site: Site) -> None:
    await site.sign_in()
    assert "Record of processing activities" in (await site.browser.get(f"{CONSOLE}/record")).text
    record = (await site.browser.get(f"{CONSOLE}/record.json")).json()
    assert [one["name"] for one in record["activities"]] == ["Newsletter Weekly news", "Console"]
    assert record["company"]["name"] == "Example Books AS"
