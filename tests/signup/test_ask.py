"""Asking for a newsletter changes nothing about anybody, and tells a stranger nothing (RULES H3, promise P7)."""

from datetime import timedelta

import pytest

from newsletter.clock import TurnedClock
from tests.signup.site import OF_A_REQUEST, Site, shown

NEW, PENDING, ACTIVE, ENDED = "new@example.com", "bob@example.com", "alice@example.com", "carol@example.com"
STRANGERS_WORDS = {
    "given_name": "Eve",
    "family_name": "Was Here",
    "employer": "Evil Ltd",
    "title": "Boss",
    "language": "en",
}


@pytest.fixture
async def cast(site: Site, clock: TurnedClock) -> Site:
    """Alice is subscribed, Bob has yet to confirm, Carol has left one of two newsletters."""
    await site.open("monthly")
    await site.subscribe(ACTIVE, given_name="Alice", family_name="Aas", employer="Example Books")
    await site.ask(PENDING, given_name="Bob")
    await site.subscribe(ENDED, "monthly")
    await site.http.post(await site.subscribe(ENDED))
    clock.turn(clock.now() + timedelta(hours=1))
    return site


@pytest.mark.parametrize("email", [NEW, PENDING, ACTIVE, "Alice@EXAMPLE.com", ENDED])
async def test_a_request_changes_nothing_about_anybody(cast: Site, email: str) -> None:
    before, of_requests = await cast.rows(without=OF_A_REQUEST), await cast.rows()
    answer = await cast.ask(email, **STRANGERS_WORDS)
    assert answer.status_code == 303
    assert await cast.rows(without=OF_A_REQUEST) == before
    after = await cast.rows()
    for table in OF_A_REQUEST:
        assert len(after[table]) == len(of_requests[table]) + 1, table
        assert set(after[table]) >= set(of_requests[table]), table


async def test_the_answer_is_the_same_for_everybody(cast: Site) -> None:
    answers = [shown(await cast.ask(email)) for email in (NEW, PENDING, ACTIVE, ENDED)]
    assert answers.count(answers[0]) == 4
    pages = [shown(await cast.http.get(answers[0][2]["location"])) for _ in range(2)]
    assert pages[0] == pages[1]
    assert not [email for email in (NEW, PENDING, ACTIVE) if email in pages[0][1]]


async def test_the_answer_of_the_api_is_the_same_for_everybody(cast: Site) -> None:
    answers = [
        shown(await cast.http.post("/api/v1/newsletters/weekly/signups", json={"email": email, "agreed": True}))
        for email in (NEW, PENDING, ACTIVE, ENDED)
    ]
    assert answers.count(answers[0]) == 4
    assert answers[0][:2] == (202, "{}")


async def test_known_and_unknown_addresses_cost_the_same_database_work(cast: Site) -> None:
    token = await cast.form_token()
    work = []
    for email in (NEW, PENDING, ACTIVE, ENDED, NEW):
        with cast.statements() as said:
            values = {"email": email, "agreed": "true", "notice": token, "language": "nb"}
            assert (await cast.http.post("/newsletters/weekly/signup", data=values)).status_code == 303
        work.append(list(said))
    assert len(work[0]) >= 5
    assert work.count(work[0]) == len(work)


async def test_known_and_unknown_addresses_cost_the_same_over_the_api(cast: Site) -> None:
    work = []
    for email in (NEW, PENDING, ACTIVE, ENDED, NEW):
        with cast.statements() as said:
            await cast.http.post("/api/v1/newsletters/weekly/signups", json={"email": email, "agreed": True})
        work.append(list(said))
    assert work.count(work[0]) == len(work)


async def test_what_waits_in_the_outbox_holds_no_address(cast: Site) -> None:
    await cast.ask(NEW, **STRANGERS_WORDS)
    assert NEW not in str((await cast.rows())["letter"])
    assert "Eve" not in str((await cast.rows())["letter"])
