"""Leaving: GET shows, POST leaves, however often, and after the person is gone (RULES E2, B3)."""

import httpx
import pytest

from newsletter.tokens import payload
from tests.signup.site import Site

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
# As Gmail and others send it (RFC 8058 §3.2): either kind of form, no cookies, and nobody follows a redirect.
BODIES = {
    "urlencoded": {"data": ONE_CLICK},
    "multipart": {"files": {"List-Unsubscribe": (None, "One-Click")}},
    "nothing": {},
    "something else": {"content": b"{}", "headers": {"content-type": "application/json"}},
}


@pytest.mark.parametrize("body", BODIES)
async def test_one_click_leaves_at_once(site: Site, body: str) -> None:
    path = await site.subscribe("kari@example.com", given_name="Kari")
    answer = await site.http.post(path, **BODIES[body])  # type: ignore[arg-type]  # arguments of several types
    assert answer.status_code == httpx.codes.OK
    assert not answer.cookies
    assert await site.people() == []


async def test_looking_changes_nothing(site: Site) -> None:
    """RULES E2, promise P5."""
    path = await site.subscribe("kari@example.com")
    before = await site.rows()
    page = await site.http.get(path)
    assert page.status_code == 200
    assert page.text.count('<button class="big" type="submit">') == 1
    assert f'action="{path}"' in page.text
    assert "kari" not in page.text.lower()
    for method in ("HEAD", "OPTIONS", "GET"):
        await site.http.request(method, path)
    assert await site.rows() == before


async def test_leaving_again_is_answered_alike_and_changes_nothing(site: Site) -> None:
    await site.subscribe("alice@example.com")
    path = await site.subscribe("kari@example.com")
    assert (await site.http.post(path)).status_code == 200
    before = await site.rows()
    again = [await site.http.post(path, data=ONE_CLICK) for _ in range(3)]
    assert [answer.status_code for answer in again] == [200] * 3
    assert (await site.http.get(path)).status_code == 200
    assert await site.rows() == before
    assert [person.email for person in await site.people()] == ["alice@example.com"]


@pytest.mark.parametrize("change", ["last", "first", "cut", "empty", "other purpose", "long", "strange"])
async def test_a_forged_link_is_not_found_and_touches_nobody(site: Site, change: str) -> None:
    path = await site.subscribe("kari@example.com")
    token = path.removeprefix("/unsubscribe/")
    forged = {
        "last": token[:-1] + ("A" if token[-1] != "A" else "B"),
        "first": ("A" if token[0] != "A" else "B") + token[1:],
        "cut": token[:-4],
        "empty": "%20",
        "other purpose": site.installation.keys.sign("confirm", payload(token)),
        "long": token * 50,
        "strange": "%00%ed%a0%80",
    }[change]
    before = await site.rows()
    for method in ("GET", "POST"):
        answer = await site.http.request(method, f"/unsubscribe/{forged}")
        assert answer.status_code == 404
        assert "Traceback" not in answer.text
    assert await site.rows() == before


async def test_leaving_one_of_two_keeps_the_other(site: Site) -> None:
    await site.open("monthly")
    weekly = await site.subscribe("kari@example.com", given_name="Kari")
    await site.subscribe("kari@example.com", "monthly")
    await site.http.post(weekly)
    (kari,) = await site.people()
    assert kari.given_name == "Kari"
    states = {row.newsletter_id == site.weekly.id: row.state for row in await site.subscriptions()}
    assert states == {True: "ended", False: "active"}
    assert (await site.happened()).count("withdrawn") == 1
    before = await site.rows()
    assert (await site.http.post(weekly)).status_code == 200
    assert await site.rows() == before


async def test_the_confirmation_link_of_what_was_left_no_longer_says_subscribed(site: Site) -> None:
    await site.open("monthly")
    await site.subscribe("kari@example.com", "monthly")
    await site.ask("kari@example.com")
    confirm = await site.confirmation_path("kari@example.com")
    await site.http.post(confirm)
    await site.http.post(await site.unsubscribe_path("kari@example.com"))
    assert (await site.http.get(confirm)).status_code == 410
    assert (await site.http.post(confirm)).status_code == 410


async def test_leaving_forgets_what_the_address_asked_and_never_confirmed(site: Site) -> None:
    path = await site.subscribe("kari@example.com")
    await site.ask("kari@example.com", given_name="Eve")
    await site.ask("bob@example.com")
    await site.http.post(path)
    assert "kari" not in repr(await site.rows())
    assert "bob@example.com" in repr(await site.rows())


async def test_the_page_is_in_the_reader_s_language(site: Site) -> None:
    path = await site.subscribe("kari@example.com")
    norwegian = await site.http.get(path, headers={"accept-language": "nn"})
    assert norwegian.headers["content-language"] == "nn"
    assert norwegian.headers["cache-control"] == "no-store"
    assert (await site.http.get(path)).headers["content-language"] == "nb"
