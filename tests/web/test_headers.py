"""Every answer carries the headers that keep others out; pages behind a token are kept by nobody (RULES H6)."""

from newsletter.measurement.links import click_token, open_token
from newsletter.tokens import new_id, new_nonce
from newsletter.unsubscribe.actions import unsubscribe_token
from newsletter.web import SECURITY_HEADERS
from tests.web.site import SLUG, Site

EVERYWHERE = {name: value for name, value in SECURITY_HEADERS.items() if name != "referrer-policy"}

ANSWERS = {
    "page": ("GET", "/", 200),
    "form": ("GET", f"/newsletters/{SLUG}", 200),
    "unknown address": ("GET", "/nothing-here", 404),
    "unknown API address": ("GET", "/api/v1/nothing-here", 404),
    "wrong method": ("DELETE", "/", 405),
    "redirect": ("GET", "/console/newsletters", 303),
    "static file": ("GET", "/static/site.css", 200),
    "static nothing": ("GET", "/static/nothing.css", 404),
    "API refusal": ("POST", f"/api/v1/newsletters/{SLUG}/issues", 401),
    "API description": ("GET", "/api/openapi.json", 200),
    "reference": ("GET", "/api/docs", 200),
    "health": ("GET", "/health/live", 200),
    "metrics": ("GET", "/metrics", 401),
    "forged token": ("GET", "/unsubscribe/forged", 404),
    "too large": ("POST", f"/newsletters/{SLUG}/signup", 413),
    "options": ("OPTIONS", f"/newsletters/{SLUG}", 204),
}


async def test_every_answer_has_the_security_headers(site: Site) -> None:
    for kind, (method, path, status) in ANSWERS.items():
        content = b"x" * 1_000_000 if status == 413 else None
        headers = {"content-type": "application/x-www-form-urlencoded" if content else "application/json"}
        answer = await site.browser.request(method, path, content=content, headers=headers, follow_redirects=False)
        assert answer.status_code == status, kind
        assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE, kind
        assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer"), kind
        assert "server" not in answer.headers, kind


async def test_a_wrong_method_is_told_the_right_ones(site: Site) -> None:
    """RFC 9110 §15.5.6."""
    answer = await site.browser.delete(f"/newsletters/{SLUG}")
    assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["allow"].split(", "))
    answer = await site.api("OPTIONS", f"/issues/{'a' * 26}/mailing")
    assert {"GET", "POST", "OPTIONS"} == set(answer.headers["allow"].split(", "))


async def test_a_page_can_be_asked_for_its_head(site: Site) -> None:
    page = await site.browser.get(f"/newsletters/{SLUG}")
    head = await site.browser.head(f"/newsletters/{SLUG}")
    assert head.status_code == 200
    assert head.headers["content-type"] == page.headers["content-type"]


async def test_pages_behind_a_token_are_private(site: Site) -> None:
    keys, issue = site.installation.keys, new_id()
    token = unsubscribe_token(keys, new_id())
    for path in (
        f"/unsubscribe/{token}",
        "/confirm/forged",
        f"/open/{open_token(keys, issue, new_nonce())}.gif",
        f"/click/{click_token(open_token(keys, issue, new_nonce()), 0)}",
    ):
        for method in ("GET", "HEAD"):
            answer = await site.browser.request(method, path, follow_redirects=False)
            assert "no-store" in answer.headers["cache-control"]
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["x-robots-tag"] == "noindex"


async def test_nothing_on_a_page_comes_from_elsewhere(site: Site) -> None:
    """No third parties, no inline script or style: the policy could not allow them."""
    policy = SECURITY_HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


async def test_static_files_are_cached_and_pages_of_the_console_are_not(site: Site) -> None:
    style = await site.browser.get("/static/site.css")
    assert "immutable" in style.headers["cache-control"]
    await site.sign_in()
    for path in ("/console/newsletters", f"/console/newsletters/{SLUG}/subscribers", "/console/returned"):
        assert (await site.browser.get(path)).headers["cache-control"] == "no-store"
