"""The page about the pace shows what is set and what happens now, and neither a password nor a small domain's name."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from newsletter.delivery import ledger
from newsletter.delivery.pace import actions as paces
from newsletter.delivery.pace.slowing import Tally
from newsletter.installation import Installation
from tests.web.site import Site, running_site

SENDER = "news.example.com"
FAST = Tally(delivered=20)


def limited(installation: Installation, **settings: Any) -> Installation:
    return replace(installation, settings=installation.settings.model_copy(update=settings))


async def text_of(site: Site) -> str:
    await site.sign_in()
    answer = await site.browser.get("/console/pace")
    assert answer.status_code == 200
    return " ".join(answer.text.split())


async def trouble(installation: Installation, *domains: str) -> date:
    """Let domains close the connection just now; give the day of the database."""
    tallies = dict.fromkeys(domains, Tally(closing=1)) | {f"{number}.example": FAST for number in range(9)}
    async with installation.database.write() as session:
        now = await ledger.now(session)
        await paces.note(session, installation, SENDER, tallies, now)
    return datetime.fromtimestamp(now, UTC).date()


async def test_where_nothing_is_set_all_goes_as_fast_as_it_may(sqlite_installation: Installation) -> None:
    async with running_site(sqlite_installation) as site:
        shown = await text_of(site)
    assert "All mail goes as fast as it may" in shown
    assert "None are set" in shown
    assert "127.0.0.1:1<" in shown
    assert "Warm-up" not in shown


async def test_relays_are_shown_without_their_passwords(sqlite_installation: Installation) -> None:
    opened = limited(
        sqlite_installation,
        smtp_url="smtp+starttls://kari:hunter2@mail1.example.com?messages=250&rate=50 smtp://mail2.example.com:2525",
        relays="example.org=smtps://ola:hunter2@mail3.example.com?connections=37",
    )
    async with running_site(opened) as site:
        shown = await text_of(site)
    for name in (
        "mail1.example.com:587",
        "mail2.example.com:2525",
        "mail3.example.com:465",
        "37",
        "250",
        "50 a second",
    ):
        assert name in shown
    assert shown.count("stands in") == 1
    assert not any(secret in shown for secret in ("hunter2", "kari", "ola:"))


async def test_slowed_domains_are_named_where_they_are_nobody_s_own(sqlite_installation: Installation) -> None:
    opened = limited(sqlite_installation, domain_pace="big.example,bigger.example=600/m 4; *=7200/h", hourly_limit=5000)
    async with running_site(opened) as site:
        await trouble(site.installation, "gmail.com", "big.example", "karinordmann.example")
        shown = await text_of(site)
    assert "gmail.com" in shown
    assert "10 a second" in shown
    assert "big.example, bigger.example" in shown
    assert "each other domain" in shown
    assert "5,000 mails" in shown
    assert shown.count("It closed the connection") == 2
    assert "1 smaller domain is slowed down" in shown
    assert "karinordmann" not in shown


async def test_a_warm_up_shows_its_plan_and_what_was_used(sqlite_installation: Installation) -> None:
    today = await trouble(sqlite_installation)
    opened = limited(sqlite_installation, warm_up=f"{SENDER}={today - timedelta(2)} 50 1000")
    async with running_site(opened) as site:
        async with opened.database.write() as session:
            await paces.grant(session, opened, SENDER, {"example.com": 123}, await ledger.now(session))
        shown = await text_of(site)
    assert "Warm-up of news.example.com" in shown
    assert [f">{mails}</td>" in shown for mails in ("50", "100", "200", "400", "800", "1,000")] == [True] * 6
    row = shown.partition('aria-current="date"')[2].partition("</tr>")[0]
    assert "today" in row
    assert ">123</td>" in row
    assert ">200</td>" in row


async def test_the_page_is_for_editors(sqlite_installation: Installation) -> None:
    async with running_site(sqlite_installation) as site:
        answer = await site.browser.get("/console/pace", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
