"""Notices are named by their words, never changed, and shown clean (RULES A6)."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.agreements.notices import actions as notices
from newsletter.agreements.notices.actions import Wording, as_html
from newsletter.agreements.notices.wording import Controller, first_notice
from newsletter.agreements.opening import change_newsletter, open_newsletter
from newsletter.agreements.tables import Notice
from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter

WORDS = st.text(max_size=40)


async def opened(installation: Installation, slug: str = "weekly") -> Newsletter:
    """Open a newsletter."""
    async with installation.database.write() as session:
        settings = {"name": f"The {slug}", "sender": "News <news@example.com>"}
        return await open_newsletter(session, installation, slug, settings)


@given(WORDS, WORDS, WORDS, WORDS)
def test_other_words_are_another_notice(language: str, label: str, text: str, other: str) -> None:
    wording = Wording(language, label, text)
    assert wording.hash == Wording(language, label, text).hash
    assert len(wording.hash) == 64
    if other != text:
        assert wording.hash != Wording(language, label, other).hash
    # Words can't be pushed from one part into the next.
    assert Wording(language, label + other, text).hash != Wording(language, label, other + text).hash or not other


def test_the_hash_of_a_wording_is_the_same_for_ever() -> None:
    """Agreements name it: a change of the formula would orphan every one of them."""
    known = "7e7b131d806f0ea20e6086126b3673fd1de342eaec350e4268995d4aabcf0ff2"
    assert Wording("nb", "Ja, jeg vil.", "**Hei** på deg").hash == known


async def test_a_new_newsletter_has_its_notice_in_three_languages(installation: Installation) -> None:
    weekly = await opened(installation)
    async with installation.database.read() as session:
        in_force = await notices.in_force(session, weekly.id, installation.clock.now())
    assert set(in_force) == {"nb", "nn", "en"}
    for language, notice in in_force.items():
        assert notice.language == language
        assert notice.hash == Wording(notice.language, notice.label, notice.text).hash
        assert "The weekly" in notice.label
        for said in ("Example Books AS", "999 999 999", "Eksempelgata 1", "privacy@example.com", "72"):
            assert said in notice.text, (language, said)


async def test_the_same_words_twice_are_one_notice(installation: Installation, clock: TurnedClock) -> None:
    weekly, monthly = await opened(installation), await opened(installation, "monthly")
    wording = Wording("nb", "Ja", "Hei")
    for newsletter in (weekly, monthly, weekly):
        clock.turn(clock.now() + timedelta(minutes=1))
        async with installation.database.write() as session:
            await notices.put_in_force(session, installation, newsletter.id, wording)
    async with installation.database.read() as session:
        for newsletter in (weekly, monthly):
            assert (await notices.in_force(session, newsletter.id, clock.now()))["nb"].hash == wording.hash
        first = await session.get_one(Notice, wording.hash)
    assert first.created_at == clock.now() - timedelta(minutes=2)


async def test_a_notice_that_was_followed_by_another_is_still_on_record(
    installation: Installation, clock: TurnedClock
) -> None:
    weekly = await opened(installation)
    async with installation.database.read() as session:
        before = (await notices.in_force(session, weekly.id, installation.clock.now()))["nb"]
    clock.turn(clock.now() + timedelta(days=1))
    async with installation.database.write() as session:
        await notices.put_in_force(session, installation, weekly.id, Wording("nb", "Ja", "Helt nytt"))
    async with installation.database.read() as session:
        assert (await notices.in_force(session, weekly.id, installation.clock.now()))["nb"].text == "Helt nytt"
        kept = await notices.find(session, before.hash)
        assert kept is not None
        assert (kept.text, kept.label) == (before.text, before.label)
        assert await notices.has_shown(session, weekly.id, before.hash, clock.now())
        assert not await notices.has_shown(session, weekly.id, "ab" * 32, clock.now())


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "<img src=x onerror=alert(1)>",
        '<a href="https://example.com" onclick="x()">x</a>',
        "<iframe src=https://example.com></iframe>",
        "<style>*{}</style>",
        "![x](https://example.com/pixel.gif)",
        "<form action=x><input></form>",
        "<b style=x onmouseover=alert(1)>x</b>",
    ],
)
def test_a_notice_can_do_nothing_but_be_read(text: str) -> None:
    html = as_html(text)
    for tag in ("<script", "<img", "<iframe", "<style", "<form", "<input", "<b "):
        assert tag not in html
    for scheme in ('href="javascript', 'href="data', 'href="vbscript'):
        assert scheme not in html.lower()
    assert "<a" not in html or ' onclick="' not in html


@given(st.text(max_size=200))
def test_no_text_becomes_anything_but_plain_elements(text: str) -> None:
    tags = set(re.findall(r"<(\w+)", as_html(text)))
    assert tags <= {"p", "h3", "h4", "ul", "ol", "li", "a", "strong", "em", "br"}


def test_a_notice_keeps_its_form() -> None:
    html = as_html("# Big\n\n**Bold** and *soft*, [a link](https://example.com/a?b=c&d)\n\n- one\n- two\n")
    assert "<h3>Big</h3>" in html
    assert "<strong>Bold</strong>" in html
    assert 'href="https://example.com/a?b=c&amp;d"' in html
    assert "<li>one</li>" in html


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_first_notice_says_what_must_be_said(language: str) -> None:
    """GDPR art. 13; RULES A5, D6."""
    wording = first_notice(
        language, "Ukebrevet", Controller("Example Books AS", "999 999 999", "Oslo", "p@example.com"), 48, measured=True
    )
    for said in ("Example Books AS", "999 999 999", "Oslo", "p@example.com", "Ukebrevet", "48", "Datatilsynet"):
        assert said in wording.text
    assert any(said in wording.text for said in ("frivillig", "friviljug", "optional"))
    assert "{" not in wording.text + wording.label


NOT_MEASURED = {"nb": "Vi måler ikke lesing.", "nn": "Vi måler ikkje lesing.", "en": "We do not measure reading."}


async def test_the_first_notice_follows_the_measurement_and_the_company_s_own_words_stay(
    installation: Installation, clock: TurnedClock
) -> None:
    """RULES D6: nobody is told of a count that isn't made, or not told of one that is."""
    weekly = await opened(installation)
    own = Wording("nb", "Ja", "Våre egne ord")
    clock.turn(clock.now() + timedelta(minutes=1))
    async with installation.database.write() as session:
        await notices.put_in_force(session, installation, weekly.id, own)
    for measurement, measured in (("off", False), ("anonymous", True)):
        clock.turn(clock.now() + timedelta(minutes=1))
        async with installation.database.write() as session:
            newsletter = await session.get_one(Newsletter, weekly.id)
            await change_newsletter(session, installation, newsletter, {"measurement": measurement})
        async with installation.database.read() as session:
            in_force = await notices.in_force(session, weekly.id, installation.clock.now())
        assert in_force["nb"].hash == own.hash
        assert [NOT_MEASURED[each] in in_force[each].text for each in ("nn", "en")] == [not measured] * 2
