"""Confirming from the mailbox: GET shows, POST acts, once (RULES A8, E5, H5)."""

import asyncio
from datetime import timedelta

import pytest

from newsletter.agreements.tables import AgreementEvent, EventKind
from newsletter.clock import TurnedClock
from newsletter.signup.actions import confirmation_token, purge_unconfirmed
from newsletter.tokens import decode_id, fingerprint
from tests.signup.site import Site, hidden

KARI = {
    "given_name": "Kåre-Øyvind",
    "family_name": "Ødegård Sæther",
    "title": "Redaktør",
    "employer": "Bær & Sønner AS",
}


async def test_looking_at_the_link_confirms_nobody(site: Site) -> None:
    """Mail scanners open every link, and so do some with HEAD and OPTIONS."""
    await site.ask("kari@example.com", **KARI)
    path = await site.confirmation_path("kari@example.com")
    before = await site.rows()
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        answer = await site.http.request(method, path)
        assert answer.status_code in (200, 204, 405), method
    assert await site.rows() == before
    page = await site.http.get(path)
    for value in ("kari@example.com", "Kåre-Øyvind", "Ødegård Sæther", "Redaktør", "Bær &amp; Sønner AS"):
        assert value in page.text
    assert "markedsføringsloven § 15" in page.text
    assert "<script" not in page.text.partition("<main")[2]


async def test_the_page_behind_a_link_is_for_its_reader_alone(site: Site) -> None:
    """RULES H6."""
    await site.ask("kari@example.com")
    headers = (await site.http.get(await site.confirmation_path("kari@example.com"))).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-robots-tag"] == "noindex"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "set-cookie" not in headers


async def test_what_was_typed_becomes_true_by_confirming(site: Site) -> None:
    await site.ask("Kari@Example.com", **KARI)
    before = await site.rows()
    assert before["subscriber"] == before["subscription"] == []
    answer = await site.http.post(await site.confirmation_path("Kari@example.com"))
    assert answer.status_code == 200
    (kari,) = await site.people()
    assert (kari.email, kari.canonical, kari.language) == ("Kari@example.com", "kari@example.com", "nb")
    assert {field: getattr(kari, field) for field in KARI} == KARI
    (request,) = (await site.rows())["signup_request"]
    assert not set(map(str, request)) & {"Kari@example.com", "kari@example.com", *KARI.values()}


async def test_an_address_is_all_that_is_needed(site: Site) -> None:
    """RULES A5."""
    await site.subscribe("kari@example.com")
    (kari,) = await site.people()
    assert (kari.given_name, kari.family_name, kari.title, kari.employer) == (None, None, None, None)


async def test_two_clicks_at_once_make_one_subscription(site: Site) -> None:
    await site.ask("kari@example.com")
    path = await site.confirmation_path("kari@example.com")
    answers = await asyncio.gather(*(site.http.post(path) for _ in range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    rows = await site.rows()
    assert [len(rows[table]) for table in ("subscriber", "subscription", "agreement")] == [1, 1, 1]
    assert await site.happened() == ["requested", "given"]
    assert len(rows["letter"]) == 2  # The confirmation letter that no worker has mailed, and one welcome.


async def test_two_requests_confirmed_at_once_make_one_subscription(site: Site) -> None:
    for _ in range(4):
        answer = await site.http.get("/newsletters/weekly")
        values = {"email": "kari@example.com", "agreed": "true", "notice": hidden(answer.text, "notice")}
        await site.http.post("/newsletters/weekly/signup", data=values)
    requests = [request[0] for request in (await site.rows())["signup_request"]]
    paths = [f"/confirm/{confirmation_token(site.installation.keys, request)}" for request in requests]
    answers = await asyncio.gather(*(site.http.post(path) for path in paths))
    assert [answer.status_code for answer in answers] == [200] * 4
    rows = await site.rows()
    assert [len(rows[table]) for table in ("subscriber", "subscription", "agreement")] == [1, 1, 4]


async def test_a_second_click_meets_a_friendly_page(site: Site) -> None:
    await site.subscribe("kari@example.com")
    (request,) = (await site.rows())["signup_request"]
    path = f"/confirm/{confirmation_token(site.installation.keys, request[0])}"
    before = await site.rows()
    for answer in (await site.http.get(path), await site.http.post(path)):
        assert answer.status_code == 200
        assert "allerede" in answer.text
        assert "kari" not in answer.text
    assert await site.rows() == before


async def test_a_link_lasts_72_hours(site: Site, clock: TurnedClock) -> None:
    await site.ask("kari@example.com")
    path = await site.confirmation_path("kari@example.com")
    clock.turn(clock.now() + timedelta(hours=72, seconds=-1))
    assert (await site.http.get(path)).status_code == 200
    clock.turn(clock.now() + timedelta(seconds=1))
    before = await site.rows()
    for answer in (await site.http.get(path), await site.http.post(path)):
        assert answer.status_code == 410
        assert 'href="/newsletters/weekly"' in answer.text
    assert await site.rows() == before


async def test_what_nobody_confirmed_is_purged_without_a_trace(site: Site, clock: TurnedClock) -> None:
    """RULES C6."""
    await site.subscribe("alice@example.com")
    kept = await site.rows()
    await site.ask("kari@example.com", **KARI)
    path = await site.confirmation_path("kari@example.com")
    clock.turn(clock.now() + timedelta(hours=71))
    await site.ask("bob@example.com")
    clock.turn(clock.now() + timedelta(hours=1))
    async with site.installation.database.write() as session:
        await purge_unconfirmed(session, clock)
    assert "kari@example.com" not in repr(await site.rows())
    assert "bob@example.com" in repr(await site.rows())
    assert (await site.http.post(path)).status_code == 410
    clock.turn(clock.now() + timedelta(hours=72))
    async with site.installation.database.write() as session:
        await purge_unconfirmed(session, clock)
    left = await site.rows()
    assert {name: left[name] for name in kept if name not in ("signup_request", "letter")} == {
        name: kept[name] for name in kept if name not in ("signup_request", "letter")
    }


@pytest.mark.parametrize("purpose", ["unsubscribe", "confirm/", "notice"])
async def test_a_token_for_something_else_confirms_nobody(site: Site, purpose: str) -> None:
    await site.ask("kari@example.com")
    (request,) = (await site.rows())["signup_request"]
    before = await site.rows()
    token = site.installation.keys.sign(purpose, decode_id(request[0]))
    for answer in (await site.http.post(f"/confirm/{token}"), await site.http.get(f"/confirm/{token}")):
        assert answer.status_code == 410
    assert await site.rows() == before


async def test_a_link_is_for_the_newsletter_that_was_asked_for(site: Site) -> None:
    await site.open("monthly")
    await site.ask("kari@example.com", "monthly")
    await site.http.post(await site.confirmation_path("kari@example.com"))
    assert await site.unsubscribe_path("kari@example.com", "monthly")
    assert len((await site.rows())["subscription"]) == 1


@pytest.mark.parametrize("token", ["x", "A" * 45, "%00", "%ed%a0%80", "A" * 5000, "æøå"])
async def test_a_forged_link_meets_the_same_page(site: Site, token: str) -> None:
    before = await site.rows()
    for method in ("GET", "POST"):
        answer = await site.http.request(method, f"/confirm/{token}")
        assert answer.status_code == 410
    assert await site.rows() == before


async def test_confirming_is_on_record(site: Site, clock: TurnedClock) -> None:
    """RULES A1, A6, A10: which words, on which basis, when asked, when confirmed, by which link."""
    await site.ask("kari@example.com")
    path = await site.confirmation_path("kari@example.com")
    asked_at = clock.now()
    clock.turn(asked_at + timedelta(minutes=5))
    await site.http.post(path)
    (agreement,) = await site.agreements()
    notice = await site.notice(agreement.notice_hash)
    assert (agreement.control_label, agreement.form_hash) == (notice.label, fingerprint(notice.label))
    assert (agreement.gdpr_basis, agreement.marketing_basis, agreement.jurisdiction) == ("6(1)(b)", "consent", "NO")
    assert agreement.witnessed
    assert agreement.request_id is None
    assert agreement.subscription_id
    events = {event.kind: event for event in await site.all(AgreementEvent)}
    assert set(events) == {EventKind.REQUESTED, EventKind.GIVEN}
    assert (events["requested"].at, events["given"].at) == (asked_at, clock.now())
    assert (events["requested"].actor, events["requested"].channel) == ("subject", "form")
    assert (events["given"].actor, events["given"].channel) == ("subject", "mailbox")
    assert events["given"].token_hash == fingerprint(path.removeprefix("/confirm/"))
    assert path.removeprefix("/confirm/") not in repr(await site.rows())
