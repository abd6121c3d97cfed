"""Letters to a domain, and confirmations in all: what is too many waits for its turn, and somebody is told."""

from datetime import timedelta

import httpx
from sqlalchemy import update

from newsletter.clock import TurnedClock
from newsletter.editors import accounts
from newsletter.installation import Installation
from newsletter.mail.tables import Letter
from newsletter.signup.tables import SignupRequest
from newsletter.tokens import new_id
from tests.editors.desk import EMAIL, PASSWORD, Desk
from tests.limits.crowd import METRICS_TOKEN, Crowd, crowded
from tests.signup.test_letters import mailed
from tests.support.peer import SmtpPeer


async def sent(crowd: Crowd, peer: SmtpPeer) -> list[str]:
    """Mail what waits; give to whom something went, in the order in which it did."""
    return [letter.recipients[0] for letter in await mailed(crowd.site, peer)]


async def ready(crowd: Crowd) -> str:
    """Give what /health/ready says of the limits."""
    said: str = (await crowd.site.http.get("/health/ready")).json()["limits"]
    return said


async def test_what_is_beyond_the_budget_waits_its_turn_and_none_is_lost(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    async with crowded(installation, clock, limit_confirmations=6) as crowd:
        everybody = [f"reader{number}@{number}.example" for number in range(10)]
        for email in everybody:
            assert (await crowd.sign_up(email)).status_code == 202
            crowd.turn(seconds=1)
        first = await sent(crowd, peer)
        assert len(first) == 6
        late = []
        for _ in range(5):
            crowd.turn(minutes=10)
            await crowd.sign_up(f"late{new_id()}@late.example", "198.51.100.1")
            late += await sent(crowd, peer)
        # Those who waited leave first, one each ten minutes.
        assert sorted(first + late[:4]) == everybody
        assert len(await crowd.site.all(Letter)) == 4
        for _ in range(6):
            crowd.turn(minutes=10)
            late += await sent(crowd, peer)
        assert len(late) == 9
        assert await crowd.site.all(Letter) == []


async def test_a_domain_waits_and_the_others_do_not(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    async with crowded(installation, clock, limit_domain=2) as crowd:
        for number in range(4):
            await crowd.sign_up(f"reader{number}@victim.example")
        await crowd.sign_up("kari@example.com")
        first = await sent(crowd, peer)
        assert len(first) == 3
        assert "kari@example.com" in first
        assert await ready(crowd) == "alarm: domain"
        crowd.turn(minutes=29)
        assert await sent(crowd, peer) == []
        crowd.turn(minutes=1)
        assert len(await sent(crowd, peer)) == 1


async def test_a_flood_to_one_address_uses_up_no_budget(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    async with crowded(installation, clock, limit_confirmations=3, limit_domain=3) as crowd:
        for number in range(30):
            await crowd.sign_up("victim@example.com", f"198.51.{number}.7")
        await crowd.sign_up("kari@example.com")
        assert sorted(await sent(crowd, peer)) == ["kari@example.com", "victim@example.com"]
        assert await ready(crowd) == "ok"


async def test_my_page_never_waits(installation: Installation, clock: TurnedClock, peer: SmtpPeer) -> None:
    """It is the way to one's rights, and goes to who is known alone."""
    async with crowded(installation, clock, limit_confirmations=1) as crowd:
        await crowd.site.subscribe("alice@example.com")
        await sent(crowd, peer)
        crowd.turn(hours=1)
        await crowd.sign_up("a@a.example")
        await crowd.sign_up("b@b.example")
        await crowd.ask_for_my_page("alice@example.com")
        assert sorted(await sent(crowd, peer)) in (
            ["a@a.example", "alice@example.com"],
            ["alice@example.com", "b@b.example"],
        )


async def test_letters_that_editors_cause_are_not_counted(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    async with crowded(installation, clock, limit_confirmations=1) as crowd:
        for number in range(3):
            await crowd.sign_up(f"a{number}@example.com")
        async with crowd.site.installation.database.write() as session:
            await session.execute(update(Letter).values(bulk=True))
        assert await sent(crowd, peer) == []
        assert len(await mailed(crowd.site, peer, bulk=True)) == 3


async def test_the_alarm_is_shown_wherever_somebody_looks_and_passes(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    async with crowded(installation, clock, limit_confirmations=2) as crowd:
        assert await ready(crowd) == "ok"
        assert "newsletter_limit_alarm 0.0" in (await metrics(crowd)).text
        for number in range(4):
            await crowd.sign_up(f"a{number}@example.com")
        await sent(crowd, peer)
        assert await ready(crowd) == "alarm: budget"
        said = (await metrics(crowd)).text
        assert "newsletter_limit_alarm 1.0" in said
        assert 'newsletter_limit_held_back{limit="budget"} 2.0' in said
        assert "newsletter_confirmations_used 1.0" in said
        crowd.turn(hours=2)
        assert await ready(crowd) == "ok"


async def test_refused_requests_are_an_alarm_where_they_are_many(
    installation: Installation, clock: TurnedClock
) -> None:
    async with crowded(installation, clock) as crowd:
        for number in range(49 + 30):
            await crowd.sign_up(f"a{number}@example.com")
        await crowd.site.http.get("/")
        await door_writes(crowd)
        assert await ready(crowd) == "ok"
        await crowd.sign_up("kari@example.com")
        await door_writes(crowd)
        assert await ready(crowd) == "alarm: network"
        assert (await crowd.sign_up("ola@example.com", "198.51.100.1")).status_code == 202
        assert len(await crowd.site.all(SignupRequest)) == 31


async def door_writes(crowd: Crowd) -> None:
    """Let the door write down what it refused, as it does each second."""
    transport = crowd.site.http._transport
    assert isinstance(transport, httpx.ASGITransport)
    await transport.app.state.door.write()  # type: ignore[attr-defined]  # it is our app


async def metrics(crowd: Crowd) -> httpx.Response:
    """Ask for the metrics."""
    return await crowd.site.http.get("/metrics", headers={"authorization": f"Bearer {METRICS_TOKEN}"})


async def test_a_letter_that_waits_for_the_budget_is_told_by_its_age(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    async with crowded(installation, clock, limit_confirmations=1) as crowd:
        for number in range(2):
            await crowd.sign_up(f"a{number}@example.com")
        await sent(crowd, peer)
        (letter,) = await crowd.site.all(Letter)
        assert letter.due_at - clock.now() == timedelta(hours=1)
        assert letter.leased_until == 0.0


async def test_an_editor_sees_it_on_every_page(sqlite_installation: Installation, clock: TurnedClock) -> None:
    async with crowded(sqlite_installation, clock, trusted_proxies="") as crowd:
        async with crowd.site.installation.database.write() as session:
            await accounts.add(session, clock, EMAIL, "Olga", PASSWORD)
        desk = Desk(crowd.site)
        await desk.sign_in()
        pages = ("/console/newsletters", "/console/rights")
        assert ["Somebody asks for a lot" in (await desk.http.get(page)).text for page in pages] == [False, False]
        for number in range(80):
            await crowd.sign_up(f"a{number}@example.com")
        await door_writes(crowd)
        assert ["had asked too often: 50" in (await desk.http.get(page)).text for page in pages] == [True, True]
