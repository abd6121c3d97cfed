"""The signup form: what won't do is said beside its field, what was typed is kept, no box is ticked for anybody."""

import re
from dataclasses import replace
from html import unescape

import pytest

from newsletter.addresses import BAD_ADDRESS, LONGEST_NAME, NO_ADDRESS, NOT_PRINTABLE
from newsletter.agreements.notices import actions as notices
from newsletter.agreements.notices.actions import Wording
from newsletter.agreements.tables import AgreementEvent
from newsletter.installation import Installation
from newsletter.language import translator
from newsletter.signup.notice_shown import NOTICE_CHANGED, sign_notice
from newsletter.signup.rules import NOT_AGREED
from tests.signup.site import Site, hidden, open_site

TYPED = {"given_name": "Kari", "family_name": "Ødegård", "title": "Redaktør", "employer": "Example & Sønner <AS>"}
CHECKED = re.compile(r'<input type="checkbox"[^>]*\schecked')


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
async def test_the_box_is_never_ticked_for_anybody(sqlite_site: Site, language: str) -> None:
    """RULES A3."""
    page = await sqlite_site.http.get("/newsletters/weekly", params={"language": language, "agreed": "true"})
    assert page.text.count('type="checkbox"') == 1
    assert not CHECKED.search(page.text)
    sent = await sqlite_site.ask("no address", agreed="true", language=language)
    assert sent.status_code == 422
    assert not CHECKED.search(sent.text)


@pytest.mark.parametrize("agreed", [None, "", "false", "False", "0", "no", "TRUE ", "1", "null"])
async def test_without_agreement_nothing_is_stored(sqlite_site: Site, agreed: str | None) -> None:
    before = await sqlite_site.rows()
    values = {"email": "kari@example.com", "notice": await sqlite_site.form_token(), "language": "en"}
    answer = await sqlite_site.http.post(
        "/newsletters/weekly/signup?language=en", data=values if agreed is None else values | {"agreed": agreed}
    )
    assert answer.status_code == 422
    assert NOT_AGREED in answer.text
    assert await sqlite_site.rows() == before


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
async def test_all_that_is_wrong_is_said_beside_its_field(sqlite_site: Site, language: str) -> None:
    before = await sqlite_site.rows()
    wrong = {"given_name": "https://evil.example", "family_name": "x" * (LONGEST_NAME + 1), "title": "a\r\nb"}
    answer = await sqlite_site.ask("not an address", agreed="", language=language, employer="Example AS", **wrong)
    assert answer.status_code == 422
    say = translator(language)
    for field in ("email", *wrong, "agreed"):
        assert f'id="{field}-error"' in answer.text, field
    assert 'id="employer-error"' not in answer.text
    assert say(BAD_ADDRESS) in answer.text
    assert say(NOT_AGREED) in answer.text
    assert await sqlite_site.rows() == before


async def test_what_was_typed_is_kept_and_safe(sqlite_site: Site) -> None:
    answer = await sqlite_site.ask("", **TYPED)
    assert translator("nb")(NO_ADDRESS) in answer.text
    for value in ("Kari", "Ødegård", "Redaktør", "Example &amp; Sønner &lt;AS&gt;"):
        assert f'value="{value}"' in answer.text
    assert "<AS>" not in answer.text


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
async def test_a_character_that_can_t_be_kept_is_said_beside_its_field(sqlite_site: Site, language: str) -> None:
    """The rest of what was typed is not lost, and nothing is stored."""
    before = await sqlite_site.rows()
    answer = await sqlite_site.ask("kari@example.com", language=language, given_name="Ka\0ri", title="Redaktør")
    assert answer.status_code == 422
    assert f'<html lang="{language}">' in answer.text
    assert 'id="given_name-error"' in answer.text
    assert 'id="email-error"' not in answer.text
    assert translator(language)(NOT_PRINTABLE) in unescape(answer.text)
    for value in ("kari@example.com", "Kari", "Redaktør"):
        assert f'value="{value}"' in answer.text
    assert await sqlite_site.rows() == before


async def test_the_pages_name_the_hours_that_are_set(sqlite_installation: Installation) -> None:
    settings = sqlite_installation.settings.model_copy(update={"retention_unconfirmed": 48})
    async with open_site(replace(sqlite_installation, settings=settings)) as site:
        await site.ask("kari@example.com")
        for path in ("/newsletters/weekly/asked", await site.confirmation_path("kari@example.com"), "/confirm/x"):
            answer = await site.http.get(path, headers={"accept-language": "nb"})
            assert "48 timer" in answer.text.partition("<main")[2], path
            assert "72 timer" not in answer.text, path


@pytest.mark.parametrize(
    ("referer", "kept"),
    [
        ("https://other.example/members/kari?q=1", "https://other.example"),
        ("https://kari:secret@other.example:8443/x", "https://other.example:8443"),
        ("https://news.example.com/newsletters/weekly?language=nb#x", "https://news.example.com/newsletters/weekly"),
        ("https://[bad/x", None),
        ("android-app://com.example", None),
    ],
)
async def test_of_another_site_only_its_name_is_kept(sqlite_site: Site, referer: str, kept: str | None) -> None:
    """Paths of another site may name people."""
    form = {"email": "kari@example.com", "agreed": "true"}
    answer = await sqlite_site.http.post("/newsletters/weekly/signup", data=form, headers={"referer": referer})
    assert answer.status_code == 303
    assert [event.source_page for event in await sqlite_site.all(AgreementEvent)] == [kept]


async def test_a_notice_that_changed_meanwhile_is_noticed(sqlite_site: Site) -> None:
    """RULES A6: nobody agrees to words they haven't seen."""
    opened = await sqlite_site.form_token()
    installation = sqlite_site.installation
    async with installation.database.write() as session:
        changed = Wording("nb", "Ja, helt nytt", "Alt er **annerledes** nå.")
        installation.clock.turn(installation.clock.now().replace(hour=12))  # type: ignore[attr-defined]  # the tests turn the clock
        await notices.put_in_force(session, installation, sqlite_site.weekly.id, changed)
    before = await sqlite_site.rows()
    answer = await sqlite_site.ask("kari@example.com", notice=opened, given_name="Kari")
    assert answer.status_code == 422
    assert translator("nb")(NOTICE_CHANGED) in answer.text
    assert "helt nytt" in answer.text
    assert 'value="Kari"' in answer.text
    assert await sqlite_site.rows() == before
    again = await sqlite_site.ask("kari@example.com", notice=hidden(answer.text, "notice"))
    assert again.status_code == 303


async def test_a_forged_notice_is_refused(sqlite_site: Site) -> None:
    monthly = await sqlite_site.open("monthly")
    token = await sqlite_site.form_token()
    keys = sqlite_site.installation.keys
    for forged in ("x", token[:-1], token[:-2] + "AA", sign_notice(keys, monthly.id, "ab" * 32), "\u202e", "0" * 600):
        before = await sqlite_site.rows()
        answer = await sqlite_site.ask("kari@example.com", notice=forged)
        assert answer.status_code == 422, forged
        assert await sqlite_site.rows() == before


async def test_the_notice_of_another_newsletter_does_not_count(sqlite_site: Site) -> None:
    await sqlite_site.open("monthly")
    answer = await sqlite_site.ask("kari@example.com", notice=await sqlite_site.form_token("monthly"))
    assert answer.status_code == 422


async def test_the_form_of_another_site_is_taken_but_not_witnessed(sqlite_site: Site) -> None:
    await sqlite_site.ask("ours@example.com")
    await sqlite_site.ask("theirs@example.com", notice="")
    await sqlite_site.http.post("/api/v1/newsletters/weekly/signups", json={"email": "api@example.com", "agreed": True})
    witnessed = await sqlite_site.witnessed()
    assert witnessed == {"ours@example.com": True, "theirs@example.com": False, "api@example.com": False}
