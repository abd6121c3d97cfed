"""A mailing in the console: planned for later, refused with words, in doubt and decided about."""

import re

import pytest
from sqlmodel import select

from newsletter.delivery import actions
from newsletter.delivery.tables import Mailing
from tests.delivery.cast import finish, send, subscribe
from tests.journeys.story import hidden_fields
from tests.support.peer import SmtpPeer
from tests.web.site import Site

READERS = ["kari@example.com", "ola@example.com", "siri@example.com"]


@pytest.fixture
async def page(site: Site) -> str:
    """Give the address of an issue with three readers, for an editor who is signed in."""
    await subscribe(site.installation, site.newsletter, READERS)
    await site.sign_in()
    return f"/console/issues/{await site.draft()}"


async def sent(site: Site, peer: SmtpPeer, page: str) -> None:
    """Send the issue to two who may or may not get it, and one who refuses it."""
    peer.hang_up("kari@example.com")
    peer.hang_up("ola@example.com")
    peer.refuse("siri@example.com", "550 5.7.1 <siri@example.com> blocked by policy of Example")
    await site.api("POST", f"{page.removeprefix('/console')}/mailing")
    async with site.installation.database.write() as session:
        await actions.start_due(session, site.installation.clock)
        mailing = (await session.exec(select(Mailing))).one()
    await send(site.installation, peer, mailing, connections=1)
    await finish(site.installation)


async def text_of(site: Site, page: str) -> str:
    return re.sub(r"\s+", " ", (await site.browser.get(page)).text)


async def test_an_issue_is_planned_by_the_clocks_of_oslo_and_taken_back(site: Site, page: str) -> None:
    answer = await site.post_form(f"{page}/ready", f"{page}/mailing", starts_at="2026-11-03T08:30")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}/mailing")
    shown = await text_of(site, f"{page}/mailing")
    assert "Tuesday 3. November 2026, 08:30, by the clocks of Oslo" in shown
    assert "every 30s" in shown
    await site.post_form(f"{page}/mailing", f"{page}/mailing/pause")
    assert "not before Tuesday 3. November 2026, 08:30" in await text_of(site, f"{page}/mailing")
    await site.post_form(f"{page}/mailing", f"{page}/mailing/cancel")
    assert "The issue is a draft again" in await text_of(site, f"{page}/mailing")


@pytest.mark.parametrize(
    ("typed", "why"),
    [("2026-11-01T08:30", "has passed"), ("soon", "such as 2026-12-24T09:00"), ("2027-03-28T02:30", "no such time")],
)
async def test_a_time_that_can_not_be_taken_is_said_beside_its_field(
    site: Site, page: str, typed: str, why: str
) -> None:
    answer = await site.post_form(f"{page}/ready", f"{page}/mailing", starts_at=typed)
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text
    assert re.search(rf'id="starts_at-error">[^<]*{re.escape(why)}', answer.text)
    assert (await site.browser.get(f"{page}/mailing")).status_code == 404


async def test_refusals_are_shown_with_stage_code_and_words(site: Site, peer: SmtpPeer, page: str) -> None:
    await sent(site, peer, page)
    for place in ("mailing", "figures"):
        shown = await text_of(site, f"{page}/{place}")
        words = '<td class="words">… blocked by policy of …</td><td class="code">550 5.7.1</td><td>Recipient</td>'
        assert words in shown
        assert "siri" not in shown


async def test_an_editor_decides_about_those_in_doubt(site: Site, peer: SmtpPeer, page: str) -> None:
    await sent(site, peer, page)
    assert f'href="{page}/mailing/in-doubt"' in await text_of(site, f"{page}/mailing")
    doubts = f"{page}/mailing/in-doubt"
    shown = await site.browser.get(doubts)
    choices = dict(re.findall(r'name="(choose-\w+)"><label[^>]*>([^<]*)<', shown.text))
    assert sorted(choices.values()) == ["kari@example.com", "ola@example.com"]
    (kari,) = (name for name, email in choices.items() if email.startswith("kari"))
    form = hidden_fields(shown.text)
    form.pop("who", None)
    nobody = await site.browser.post(doubts, data=form | {"decision": "resend"})
    assert (nobody.status_code, "First tick those you mean" in nobody.text) == (422, True)
    again = await site.browser.post(doubts, data=form | {"decision": "resend", kari: "on"}, follow_redirects=False)
    assert (again.status_code, again.headers["location"]) == (303, doubts)
    assert "kari@example.com" not in (await site.browser.get(doubts)).text
    everybody = form | {"decision": "let-be", "who": "all"}
    await site.browser.post(doubts, data=everybody)
    assert "Nobody waits for a decision. 1 stays counted" in await text_of(site, doubts)
    standing = (await site.api("GET", f"{page.removeprefix('/console')}/mailing")).json()
    assert (standing["state"], standing["queued"], standing["in_doubt"]) == ("sending", 1, 1)


@pytest.mark.parametrize("strange", ["choose-\x00", "choose-", "choose-" + "a" * 27, "decision"])
async def test_a_choice_that_names_nobody_decides_nothing(site: Site, peer: SmtpPeer, page: str, strange: str) -> None:
    await sent(site, peer, page)
    doubts = f"{page}/mailing/in-doubt"
    form = hidden_fields((await site.browser.get(doubts)).text)
    form.pop("who", None)
    answer = await site.browser.post(doubts, data=form | {"decision": "let-be"} | {strange: "on"})
    assert answer.status_code == 422
    assert (await site.browser.get(f"{doubts}?after=%00")).status_code == 200


async def test_trouble_with_the_relay_is_told_while_it_lasts(site: Site, page: str) -> None:
    await site.api("POST", f"{page.removeprefix('/console')}/mailing")
    async with site.installation.database.write() as session:
        await actions.start_due(session, site.installation.clock)
        (await session.exec(select(Mailing))).one().trouble = "Nobody listens on port 25 of the relay mail.example.com."
    shown = await text_of(site, f"{page}/mailing")
    assert "The relay takes no mail just now.</strong> Nobody listens on port 25" in shown
    await site.post_form(f"{page}/mailing", f"{page}/mailing/pause")
    assert "Nobody listens on port 25" not in await text_of(site, f"{page}/mailing")
