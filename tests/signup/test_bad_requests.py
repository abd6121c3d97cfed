"""Requests that no browser sends get a clear answer, and store nothing."""

from typing import Any

import httpx
import pytest

from newsletter.addresses import NO_ADDRESS, NOT_TEXT, TOO_LONG
from newsletter.signup.rules import NOT_AGREED
from tests.signup.site import Site

FORM = "/newsletters/weekly/signup"
API = "/api/v1/newsletters/weekly/signups"
GOOD = {"email": "kari@example.com", "agreed": True}
MEGABYTE = 1024 * 1024


async def refused(site: Site, status: int, path: str, **request: Any) -> httpx.Response:
    """Send a request; it must be answered with `status`, without a traceback, and nothing stored."""
    before = await site.rows()
    answer = await site.http.post(path, **request)
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text
    assert await site.rows() == before
    return answer


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "kari"),
        ("email", "kari@example.com\r\nBcc: eve@example.com"),
        ("email", "kari@example.com\0"),
        ("email", "k" * 300 + "@example.com"),
        ("email", 7),
        ("email", None),
        ("given_name", "Kari\r\nBcc: eve@example.com"),
        ("given_name", "Kari\0"),
        ("given_name", "Example.com"),
        ("family_name", "x" * 65),
        ("title", "https://evil.example"),
        ("employer", "\u202eirak"),
        ("employer", ["Example"]),
        ("agreed", False),
        ("agreed", "true"),
        ("agreed", "false"),
        ("agreed", 1),
        ("agreed", None),
        ("notice", 7),
        ("language", 7),
    ],
)
async def test_json_that_won_t_do_names_the_field(sqlite_site: Site, field: str, value: object) -> None:
    answer = await refused(sqlite_site, 422, API, json=GOOD | {field: value})
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert list(problem["fields"]) == [field]
    assert problem["status"] == 422
    assert problem["fields"][field] in problem["detail"]


async def test_a_notice_that_was_never_shown_is_named(sqlite_site: Site) -> None:
    answer = await refused(sqlite_site, 409, API, json=GOOD | {"notice": "ab" * 32})
    assert list(answer.json()["fields"]) == ["notice"]


@pytest.mark.parametrize(
    ("signup", "wrong"),
    [
        ({"agreed": True}, {"email": NO_ADDRESS}),
        ({"email": "kari@example.com"}, {"agreed": NOT_AGREED}),
        (GOOD | {"agreed": False}, {"agreed": NOT_AGREED}),
        (GOOD | {"given_name": "K" * 65}, {"given_name": TOO_LONG}),
        (GOOD | {"given_name": 7}, {"given_name": NOT_TEXT}),
        (GOOD | {"language": 7}, {"language": NOT_TEXT}),
        ({}, {"email": NO_ADDRESS, "agreed": NOT_AGREED}),
    ],
)
async def test_json_that_won_t_do_is_told_so_in_the_words_of_the_form(
    sqlite_site: Site, signup: dict[str, object], wrong: dict[str, str]
) -> None:
    answer = await refused(sqlite_site, 422, API, json=signup)
    assert answer.json()["fields"] == wrong


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is empty."),
        (b"[]", "The body must be a JSON object."),
        (b"null", "The body must be a JSON object."),
        (b"{", "The body could not be read as JSON."),
    ],
)
async def test_a_body_that_is_no_object_is_told_so(sqlite_site: Site, body: bytes, sentence: str) -> None:
    answer = await refused(sqlite_site, 400, API, content=body, headers={"content-type": "application/json"})
    assert (answer.json()["detail"], "fields" in answer.json()) == (sentence, False)


async def test_json_with_several_faults_in_it_names_them_all(sqlite_site: Site) -> None:
    answer = await refused(sqlite_site, 422, API, json={"email": "kari", "agreed": True, "title": "http://x"})
    assert sorted(answer.json()["fields"]) == ["email", "title"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b'{"email":"\\ud800@example.com"}']
)
async def test_a_body_that_is_no_signup_is_refused(sqlite_site: Site, body: bytes) -> None:
    before = await sqlite_site.rows()
    answer = await sqlite_site.http.post(API, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await sqlite_site.rows() == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
async def test_the_api_takes_json_alone(sqlite_site: Site, kind: str) -> None:
    await refused(
        sqlite_site, 415, API, content=b'{"email":"k@example.com","agreed":true}', headers={"content-type": kind}
    )


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/xml"])
async def test_the_form_takes_forms_alone(sqlite_site: Site, kind: str) -> None:
    await refused(sqlite_site, 415, FORM, content=b"email=k@example.com&agreed=true", headers={"content-type": kind})


@pytest.mark.parametrize("path", [FORM, API])
async def test_a_megabyte_is_too_much(sqlite_site: Site, path: str) -> None:
    kind = "application/json" if path == API else "application/x-www-form-urlencoded"
    body = b'{"email":"' + b"k" * MEGABYTE + b'"}' if path == API else b"email=" + b"k" * MEGABYTE
    await refused(sqlite_site, 413, path, content=body, headers={"content-type": kind})


async def test_a_megabyte_in_parts_is_too_much(sqlite_site: Site) -> None:
    await refused(sqlite_site, 413, FORM, files={"email": ("x", b"k" * MEGABYTE)})


@pytest.mark.parametrize(
    "body", [b"email=kari%00@example.com", b"email=%ff%fe@example.com", b"email=%ed%a0%80@example.com"]
)
async def test_bytes_that_are_no_text_are_refused_in_the_form(sqlite_site: Site, body: bytes) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    await refused(sqlite_site, 422, FORM, content=body + b"&agreed=true", headers=kind)


async def test_a_file_instead_of_a_field_is_no_value(sqlite_site: Site) -> None:
    await refused(sqlite_site, 422, FORM, files={"email": ("kari@example.com", b"x")}, data={"agreed": "true"})


async def test_a_multipart_form_without_a_boundary_is_refused(sqlite_site: Site) -> None:
    await refused(sqlite_site, 422, FORM, content=b"x", headers={"content-type": "multipart/form-data"})


@pytest.mark.parametrize("slug", ["nothing", "Weekly", "weekly-", "%00", "%ed%a0%80", "%2e%2e", "w" * 500, "weekly%0a"])
async def test_an_unknown_newsletter_is_not_found(sqlite_site: Site, slug: str) -> None:
    await refused(sqlite_site, 404, f"/newsletters/{slug}/signup", data={"email": "kari@example.com", "agreed": "true"})
    answer = await sqlite_site.http.post(f"/api/v1/newsletters/{slug}/signups", json=GOOD)
    assert answer.status_code in (404, 422)
    assert (await sqlite_site.http.get(f"/newsletters/{slug}")).status_code == 404
