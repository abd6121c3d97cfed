"""The console over HTTP: who may come in, what a form must carry, and what it refuses in a sentence."""

import pytest
from sqlmodel import select

from newsletter.newsletters.tables import Newsletter
from tests.journeys.story import hidden_fields
from tests.web.site import SLUG, Site

PLACES = ("/console/newsletters", f"/console/newsletters/{SLUG}/subscribers", f"/console/newsletters/{SLUG}/issues")
INJECTIONS = ("News\r\nBcc: everybody@example.com", "News\nX: y", "News\rX: y", "News\x00", "News\x1b[2J")


async def test_a_stranger_is_led_to_the_sign_in(site: Site) -> None:
    for place in PLACES:
        answer = await site.browser.get(place, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")


async def test_a_form_from_elsewhere_is_refused(site: Site) -> None:
    """Without the token of the page that it was on, a form does nothing."""
    issue = await site.draft()
    await site.sign_in()
    for action in (f"/console/issues/{issue}/mailing", "/console/newsletters", "/console/sign-out"):
        for form in ({}, {"_csrf_token": "forged"}):
            answer = await site.browser.post(action, data=form, follow_redirects=False)
            assert answer.status_code == 403
            assert "load the page anew" in answer.text
    assert (await site.api("GET", f"/issues/{issue}/mailing")).status_code == 404
    assert (await site.browser.get("/console/newsletters")).status_code == 200


async def test_the_cookie_of_a_session_is_kept_from_scripts_and_other_sites(site: Site) -> None:
    answer = await site.post_form(
        "/console/sign-in", "/console/sign-in", email="olga@example.com", password="a long enough password"
    )
    (cookie,) = (each for each in answer.headers.get_list("set-cookie") if each.startswith("newsletter_session="))
    assert {"HttpOnly", "Secure", "Path=/console"} <= set(cookie.split("; "))
    assert "samesite=lax" in cookie.lower()


async def test_after_signing_out_the_old_cookie_is_worth_nothing(site: Site) -> None:
    await site.sign_in()
    kept = dict(site.browser.cookies)
    await site.post_form("/console/newsletters", "/console/sign-out")
    site.browser.cookies.update(kept)
    answer = await site.browser.get("/console/newsletters", follow_redirects=False)
    assert answer.status_code == 303


@pytest.mark.parametrize("onward", ["https://example.org/", "//example.org/", "/\\example.org", "/console/\r\nX: y"])
async def test_signing_in_leads_nowhere_else(site: Site, onward: str) -> None:
    answer = await site.post_form(
        "/console/sign-in", "/console/sign-in", email="olga@example.com", password="a long enough password", next=onward
    )
    assert answer.headers["location"] == "/console/newsletters"


@pytest.mark.parametrize("injected", INJECTIONS)
async def test_nothing_becomes_a_header(site: Site, injected: str) -> None:
    """RULES G3: a line break in a name, a sender or a subject is refused, and nothing is stored."""
    await site.sign_in()
    issue = await site.draft()
    page, made = "/console/newsletters", {"slug": "other", "sender": "news@example.com", "language": "en"}
    answers = [
        await site.post_form(page, page, **made, name=injected),
        await site.post_form(page, page, **made | {"name": "Other", "sender": f"{injected} <news@example.com>"}),
        await site.post_form(f"{page}/{SLUG}", f"{page}/{SLUG}", name=f"{injected}x", sender="news@example.com"),
        await site.post_form(f"/console/issues/{issue}", f"/console/issues/{issue}", subject=f"{injected}x", body="x"),
    ]
    assert [answer.status_code for answer in answers] == [422] * 4
    assert all("alert" in answer.text or "<h1>" in answer.text for answer in answers)
    async with site.installation.database.read() as session:
        assert [found.name for found in (await session.exec(select(Newsletter))).all()] == ["Weekly news"]
    assert (await site.api("GET", f"/issues/{issue}")).json()["subject"] == "Hello"


async def test_what_an_editor_types_is_shown_and_never_run(site: Site) -> None:
    await site.sign_in()
    script = '"><script>alert(1)</script>'
    issue = await site.draft(subject=script, body=f"Hello {script}")
    for path in ("", "/preview", "/preview.html", "/ready"):
        page = await site.browser.get(f"/console/issues/{issue}{path}")
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    frame = await site.browser.get(f"/console/issues/{issue}/preview.html")
    assert "sandbox" in frame.headers["content-security-policy"]
    assert "default-src 'none'" in frame.headers["content-security-policy"]


async def test_an_issue_with_a_problem_is_kept_as_a_draft_and_not_sent(site: Site) -> None:
    await site.sign_in()
    issue = await site.draft()
    page = f"/console/issues/{issue}"
    assert (await site.post_form(page, page, subject="Hello", body="{{ surname }}")).status_code == 303
    assert "surname" in (await site.browser.get(page)).text
    assert "Not ready yet" in (await site.browser.get(f"{page}/ready")).text
    form = hidden_fields((await site.browser.get(page)).text)
    refused = await site.browser.post(f"{page}/mailing", data=form, follow_redirects=False)
    assert refused.status_code == 422
    assert "surname" in refused.text


async def test_an_issue_is_not_changed_under_its_mailing(site: Site) -> None:
    await site.sign_in()
    issue = await site.draft()
    page = f"/console/issues/{issue}"
    form = hidden_fields((await site.browser.get(page)).text)
    assert (await site.api("POST", f"/issues/{issue}/mailing")).status_code == 202
    answer = await site.browser.post(page, data=form | {"subject": "Other", "body": "Other"})
    assert answer.status_code == 409
    assert (await site.api("GET", f"/issues/{issue}")).json()["subject"] == "Hello"
