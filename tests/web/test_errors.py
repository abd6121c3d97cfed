"""An error is a page for people, in their language, and problem details for programs (RFC 9457)."""

import pytest

from newsletter.database import Database
from tests.web.site import SLUG, Site


@pytest.mark.parametrize(("language", "word"), [("nb", "Det er ingenting på"), ("en", "There is nothing")])
async def test_a_page_says_it_in_the_readers_language(site: Site, language: str, word: str) -> None:
    answer = await site.browser.get("/nothing-here", headers={"accept-language": language})
    assert answer.status_code == 404
    assert f'<html lang="{language}">' in answer.text
    assert word in answer.text


async def test_the_api_says_which_field_and_why(site: Site) -> None:
    answer = await site.api("POST", f"/newsletters/{SLUG}/signups", {"email": "no", "agreed": True, "title": "x" * 65})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 422
    assert problem["detail"]
    assert "title" in problem["fields"]


async def test_a_fault_of_ours_tells_nothing_of_itself(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Database) -> None:
        raise RuntimeError("kari@example.com")

    monkeypatch.setattr(Database, "read", broken)
    page = await site.browser.get("/")
    assert page.status_code == 500
    assert "Nothing was changed" in page.text
    problem = await site.api("GET", f"/issues/{'a' * 26}")
    assert problem.json() == {
        "type": "about:blank",
        "title": "Something went wrong",
        "status": 500,
        "detail": "Something went wrong on our side. Nothing was changed; please try again.",
    }
    assert "kari" not in page.text + problem.text


async def test_a_refused_key_is_told_how_to_send_one(site: Site) -> None:
    """RFC 9110 §11.6.1."""
    answer = await site.api("GET", f"/issues/{'a' * 26}", key="unknown")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
