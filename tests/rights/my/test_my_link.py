"""The link to one's own page: asked for by anybody, told to nobody, opened once (RULES H3, H5, H8; promise P7)."""

from datetime import timedelta

import pytest

from newsletter.clock import TurnedClock
from newsletter.rights.my.links import link_token
from newsletter.rights.my.tables import MyVisit
from tests.rights.my.visiting import ask, browser, link_to, visiting
from tests.signup.site import Site, shown
from tests.signup.test_letters import mailed
from tests.support.peer import SmtpPeer

ALICE, BOB, CAROL, NOBODY = "alice@example.com", "bob@example.com", "carol@example.com", "nobody@example.com"


@pytest.fixture
async def cast(site: Site, peer: SmtpPeer, clock: TurnedClock) -> Site:
    """Alice is subscribed, Bob has yet to confirm, Carol has left: nothing but keyed tags is held of her."""
    await site.subscribe(ALICE, given_name="Alice")
    await site.ask(BOB, given_name="Bob")
    await site.http.post(await site.subscribe(CAROL))
    await mailed(site, peer)
    clock.turn(clock.now() + timedelta(hours=1))
    return site


async def test_every_address_is_answered_alike_and_writes_the_same_rows(cast: Site) -> None:
    answers, written = [], []
    for email in (ALICE, BOB, CAROL, NOBODY):
        before = await cast.rows()
        answers.append(shown(await ask(cast, email)))
        after = await cast.rows()
        written.append(
            {table: len(rows) - len(before[table]) for table, rows in after.items() if rows != before[table]}
        )
    assert answers.count(answers[0]) == 4
    assert written == [{"my_visit": 1, "letter": 1}] * 4
    pages = [shown(await cast.http.get(answers[0][2]["location"])) for _ in range(2)]
    assert pages[0] == pages[1]


async def test_only_who_is_known_gets_a_letter_and_no_row_keeps_a_known_address(cast: Site, peer: SmtpPeer) -> None:
    for email in (ALICE, BOB, CAROL, NOBODY):
        await ask(cast, email)
    letters = await mailed(cast, peer)
    assert sorted(letter.recipients[0] for letter in letters) == [ALICE, BOB, CAROL]
    for letter in letters:
        assert [url for url in letter.html_links if url.startswith("http")] == [letter.link("my")]
        assert letter.recipients[0] not in letter.text + letter.html
        assert letter.message["Auto-Submitted"] == "auto-generated"
    assert {visit.canonical for visit in await cast.all(MyVisit)} == {None, CAROL}


async def test_looking_opens_nothing_and_the_button_opens_once(cast: Site, peer: SmtpPeer) -> None:
    path = await link_to(cast, peer, ALICE)
    before = await cast.rows()
    for method in ("GET", "HEAD", "OPTIONS"):
        looked = await cast.http.request(method, path)
    assert await cast.rows() == before
    looked = await cast.http.get(path)
    assert ALICE not in looked.text
    assert looked.headers["cache-control"] == "no-store"
    opened = await cast.http.post(path)
    assert opened.status_code == 303
    cookie = opened.headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=strict", "Secure", "Path=/my", "Max-Age=1800"):
        assert attribute.lower() in cookie.lower()
    key = opened.cookies["newsletter_my"]
    assert key not in repr(await cast.rows())
    assert [(await cast.http.request(method, path)).status_code for method in ("GET", "POST")] == [410, 410]


async def test_a_link_that_is_old_foreign_or_changed_opens_nothing(
    cast: Site, peer: SmtpPeer, clock: TurnedClock
) -> None:
    path = await link_to(cast, peer, ALICE)
    (visit, *_) = await cast.all(MyVisit)
    keys = cast.installation.keys
    clock.turn(clock.now() + timedelta(minutes=31))
    forged = [path[:-2] + ("AA" if path[-2:] != "AA" else "BB"), f"/my/{link_token(keys, 'a' * 26)}", "/my/%00"]
    for wrong in (path, *forged, (await cast.unsubscribe_path(ALICE)).replace("unsubscribe", "my")):
        answers = [await cast.http.request(method, wrong) for method in ("GET", "POST")]
        assert [answer.status_code for answer in answers] == [410, 410], wrong
        assert not any(answer.cookies for answer in answers)
    assert visit.opened_at is None


async def test_one_letter_in_five_minutes_however_often_it_is_asked_for(
    cast: Site, peer: SmtpPeer, clock: TurnedClock
) -> None:
    for _ in range(3):
        await ask(cast, ALICE)
        await ask(cast, BOB)
    assert sorted(letter.recipients[0] for letter in await mailed(cast, peer)) == [ALICE, BOB]
    await ask(cast, ALICE)
    assert await mailed(cast, peer) == []
    clock.turn(clock.now() + timedelta(minutes=6))
    await ask(cast, ALICE)
    assert len(await mailed(cast, peer)) == 1


async def test_two_visits_end_each_by_itself(cast: Site, peer: SmtpPeer, clock: TurnedClock) -> None:
    async with visiting(cast, peer, ALICE) as first:
        clock.turn(clock.now() + timedelta(minutes=10))
        async with visiting(cast, peer, ALICE) as second:
            clock.turn(clock.now() + timedelta(minutes=21))
            assert "Alice" in await second.text()
            assert "Alice" not in await first.text()
            assert (await first.http.get("/my/data")).status_code == 401
            assert (await second.press("/my/close")).status_code == 303
            assert "Alice" not in await second.text()


async def test_a_form_of_another_site_or_another_visit_is_refused(cast: Site, peer: SmtpPeer) -> None:
    async with visiting(cast, peer, ALICE) as alice, visiting(cast, peer, BOB) as bob:
        before = await cast.rows()
        foreign = (await bob.text()).partition('name="form_token" value="')[2].partition('"')[0]
        for token in ("", "0" * 64, foreign):
            assert (await alice.http.post("/my/erase", data={"form_token": token})).status_code == 403
        async with browser(cast) as stranger:
            assert (await stranger.post("/my/erase", data={"form_token": foreign})).status_code == 401
        assert await cast.rows() == before
