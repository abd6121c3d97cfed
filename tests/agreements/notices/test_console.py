"""Notices in the console: written, looked at, put in force, and told to readers as the editor chooses."""

import re

import pytest

from newsletter.clock import TurnedClock
from newsletter.renewal import actions
from newsletter.subscribers.actions import count_active
from tests.delivery.cast import subscribe
from tests.journeys.story import hidden_fields
from tests.web.site import SLUG, Site

NOTICES = f"/console/newsletters/{SLUG}/notices"
WORDS = {"label": "Yes, please.", "text": "**Who?** Example Books AS.\n\nA new sentence."}
NOW = {"when": "now", "telling": "nothing"}


@pytest.fixture
async def desk(site: Site) -> Site:
    """Give the site with an editor signed in."""
    await site.sign_in()
    return site


async def draft(desk: Site, **words: str) -> str:
    """Keep a draft in English; give the page that asks how to put it in force."""
    answer = await desk.post_form(f"{NOTICES}/en", f"{NOTICES}/en", **WORDS | {"then": "ready"} | words)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_a_notice_is_written_looked_at_and_put_in_force(desk: Site, clock: TurnedClock) -> None:
    ready = await draft(desk)
    shown = (await desk.browser.get(f"{NOTICES}/en")).text
    assert '<div class="notice"><p><strong>Who?</strong> Example Books AS.</p>' in shown
    assert re.search(r'<ins><span class="spoken">\[added: </span>A new sentence\.', shown)
    clock.turn(clock.now().replace(hour=11))
    answer = await desk.post_form(ready, f"{NOTICES}/en/in-force", **NOW)
    assert answer.headers["location"] == f"{NOTICES}?said=in-force"
    assert "A new sentence." in (await desk.browser.get(f"/newsletters/{SLUG}?language=en")).text
    page = (await desk.browser.get(NOTICES)).text
    hashes = re.findall(r'<select id="(?:from|to)-en".*?</select>', page, re.DOTALL)
    old, new = re.findall(r'value="(\w+)"', hashes[1])[::-1]
    compared = await desk.browser.get(f"{NOTICES}/compare?from={old}&to={new}")
    assert "A new sentence." in compared.text
    assert (await desk.browser.get(f"{NOTICES}/compare?from={old}&to={'0' * 64}")).status_code == 404
    # Readers of an old agreement find its words at their own address.
    assert "followed by another one" in (await desk.browser.get(f"/newsletters/{SLUG}/notices/{old}")).text
    assert (await desk.browser.get(f"/newsletters/{SLUG}/notices/{'0' * 64}")).status_code == 404


async def test_the_api_lists_them_and_takes_a_signup_under_one(desk: Site) -> None:
    items = (await desk.api("GET", f"/newsletters/{SLUG}/notices")).json()["items"]
    assert {item["language"] for item in items} == {"nb", "nn", "en"}
    (english,) = (item for item in items if item["language"] == "en")
    assert (english["standing"], english["agreements"]) == ("in_force", 0)
    signup = {"email": "kari@example.com", "agreed": True}
    for notice, status in ((english["hash"], 202), ("current", 202), ("0" * 64, 409)):
        answer = await desk.api("POST", f"/newsletters/{SLUG}/signups", signup | {"notice": notice})
        assert answer.status_code == status, answer.text


async def test_a_draft_that_was_changed_by_somebody_else_is_not_put_in_force(desk: Site) -> None:
    ready = await draft(desk)
    form = hidden_fields((await desk.browser.get(ready)).text)
    await draft(desk, text="Changed by somebody else.")
    answer = await desk.browser.post(f"{NOTICES}/en/in-force", data=form | NOW, follow_redirects=False)
    assert answer.status_code == 409
    assert "Somebody changed this draft" in answer.text
    assert "Changed by somebody else." in answer.text


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ({"telling": ""}, "telling"),
        ({"when": "later", "day": ""}, "day"),
        ({"when": "later", "day": "2026-11-02"}, "day"),
        ({"when": "later", "day": "2036-11-02"}, "day"),
        ({"telling": "reconfirmation", "days": "0", "silence": "ends"}, "days"),
        ({"telling": "reconfirmation", "days": "soon", "silence": "ends"}, "days"),
        ({"telling": "reconfirmation", "days": "14", "silence": ""}, "silence"),
    ],
)
async def test_a_choice_that_will_not_do_is_said_beside_its_field(
    desk: Site, chosen: dict[str, str], field: str
) -> None:
    answer = await desk.post_form(await draft(desk), f"{NOTICES}/en/in-force", **NOW | chosen)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "In force</span>" in (await desk.browser.get(NOTICES)).text
    assert (await desk.browser.get(f"{NOTICES}/en")).status_code == 200


async def test_a_planned_question_is_shown_with_its_figures_and_taken_back(desk: Site) -> None:
    await subscribe(desk.installation, desk.newsletter, ["kari@example.com"])
    chosen = {"when": "later", "day": "2026-12-24", "telling": "reconfirmation", "days": "14", "silence": "ends"}
    answer = await desk.post_form(await draft(desk), f"{NOTICES}/en/in-force", **chosen)
    mailing = answer.headers["location"]
    await actions.feed(desk.installation)
    shown = re.sub(r"\s+", " ", (await desk.browser.get(mailing)).text)
    assert "Planned" in shown
    assert "The first letter leaves on 23 Dec 2026, 23:00 UTC" in shown
    page = (await desk.browser.get(NOTICES)).text
    (back,) = re.findall(rf'action="({NOTICES}/planned/\w+/take-back)"', page)
    assert (await desk.post_form(NOTICES, back)).headers["location"] == f"{NOTICES}?said=taken-back"
    assert "Cancelled" in (await desk.browser.get(mailing)).text
    assert (await desk.post_form(NOTICES, f"{mailing}/resume")).status_code == 409
    async with desk.installation.database.read() as session:
        assert await count_active(session, desk.newsletter.id) == 1
