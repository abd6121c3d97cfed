"""An editor sees how the ways in are: who listens, whether the mailbox was reached, and what a webhook brought last."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update
from sqlmodel import col, delete

from newsletter.bounces.listener.running import Listener
from newsletter.bounces.listener.tables import Listening
from newsletter.bounces.mailbox.tables import Mailbox
from newsletter.bounces.reports.tables import Received
from newsletter.bounces.ways_in import WayIn, ways_in
from newsletter.clock import TurnedClock, day_of
from newsletter.database import database_seconds, insert
from newsletter.hearts import Heartbeat
from newsletter.installation import Installation
from tests.bounces.coming_back import CAROL, report, return_address, sent
from tests.bounces.listener.listening import counted, hands_over, listening
from tests.bounces.mailbox.mailboxes import LONG, look, poller
from tests.bounces.webhooks.hooked import Hooked, dead, hooked, postmark
from tests.support.dovecot import PASSWORD, running_dovecot
from tests.support.peer import SmtpPeer
from tests.web.site import METRICS_TOKEN, running_site

TAKEN = "the port is taken"
FORGED = f"b-{'a' * 50}@bounces.example.com"


async def beats(installation: Installation, *workers: str, ago: float = 0.0) -> None:
    """Let the hearts of workers beat, so many seconds ago."""
    async with installation.database.write() as session:
        await session.execute(delete(Heartbeat).where(col(Heartbeat.worker).in_(workers)))
        for worker in workers:
            values = {"worker": worker, "seen_at": database_seconds() - ago}
            await session.execute(insert(session, Heartbeat).values(values))


async def told(installation: Installation) -> list[WayIn]:
    async with installation.database.read() as session:
        return await ways_in(session, installation)


async def test_a_machine_listens_where_one_of_its_workers_has_the_port(
    installation: Installation, clock: TurnedClock
) -> None:
    assert await told(installation) == []
    began = clock.now()
    await beats(installation, "here-0", "here-1", "there-0")
    async with listening(installation, worker="here-0") as (_, port):
        clock.turn(clock.now() + timedelta(minutes=5))
        async with listening(installation, port, "here-1") as (second, _):
            assert [(each.trouble, each.since) for each in await told(installation)] == [(None, began)]
            async with listening(installation, port, "there-0"):
                here, there = await told(installation)
                assert (here.trouble, there.trouble, there.since) == (None, TAKEN, clock.now())
            await beats(installation, "here-0", ago=60)
            assert [each.trouble for each in await told(installation)] == [TAKEN], "the one that has it is dead"
            await beats(installation, "here-1", ago=60)
            (dead,) = await told(installation)
            assert dead.trouble == "the worker that listened there gives no sign of life"
            assert not second.listens
    assert await told(installation) == []


async def test_a_worker_that_is_not_to_listen_takes_back_what_its_predecessor_said(
    sqlite_installation: Installation, clock: TurnedClock
) -> None:
    installation = sqlite_installation
    async with installation.database.write() as session:
        session.add(Listening(worker="here-0", place="127.0.0.1:8025", since=clock.now()))
    await beats(installation, "here-0")
    assert [each.place for each in await told(installation)] == ["127.0.0.1:8025"]
    settings = installation.settings.model_copy(update={"inbound_listen": "off"})
    await Listener(replace(installation, settings=settings), "here-0").keep()
    assert await told(installation) == []


async def test_what_dead_workers_of_the_machine_said_is_taken_back_by_one_that_is_not_to_listen(
    installation: Installation, clock: TurnedClock
) -> None:
    async with installation.database.write() as session:
        for worker in ("here-1", "here-2", "there-0"):
            session.add(Listening(worker=worker, place=f"{worker}:8025", since=clock.now()))
    await beats(installation, "here-1", "there-0", ago=60)
    await beats(installation, "here-2")
    settings = installation.settings.model_copy(update={"inbound_listen": "off"})
    listener = Listener(replace(installation, settings=settings), "here-0")
    await listener.keep()
    assert [each.place for each in await told(installation)] == ["here-2:8025"]
    await beats(installation, "here-2", ago=60)
    clock.turn(clock.now() + timedelta(minutes=1))
    await listener.keep()
    (dead,) = await told(installation)
    assert (dead.place, bool(dead.trouble)) == ("there-0:8025", True), "another machine may have another setting"


async def test_a_mailbox_whose_setting_is_gone_or_another_is_told_no_more(
    installation: Installation, clock: TurnedClock
) -> None:
    gone, other, nothing = "imap://carol:hunter2@127.0.0.1:1", "imap://carol:hunter2@127.0.0.1:2", ""
    for worker, beat in (("here-0", 0), ("here-1", 60), ("there-0", 60)):
        await beats(installation, worker, ago=beat)
        await look(poller(installation, gone, worker), clock)
        (before,) = await told(installation)
        assert before.place == "127.0.0.1:1"
        await look(poller(installation, other, "here-0"), clock)
        places = [each.place for each in await told(installation)]
        here = worker.startswith("here")
        assert places == (["127.0.0.1:2"] if here else ["127.0.0.1:1", "127.0.0.1:2"])
        await look(poller(installation, nothing, "here-0"), clock)
        assert [each.place for each in await told(installation)] == ([] if here else ["127.0.0.1:1"])
        async with installation.database.write() as session:
            await session.execute(update(Mailbox).values(leased_until=0.0))


async def test_of_what_came_last_the_hour_is_told(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    await sent(installation, peer, [CAROL])
    await beats(installation, "here-0")
    async with listening(installation, worker="here-0") as (listener, port):
        (fresh,) = await told(installation)
        assert (fresh.believed, fresh.doubted) == (None, None)
        clock.turn(clock.now() + timedelta(minutes=59))
        await hands_over(port, report(), return_address(peer))
        hour = clock.now().replace(minute=0)
        for _ in range(2):
            clock.turn(clock.now() + timedelta(minutes=59))
            await hands_over(port, report(), FORGED)
            await listener.keep()
        (after,) = await told(installation)
        assert (after.believed, after.doubted) == (hour, hour + timedelta(hours=2))
        async with installation.database.write() as session:
            await session.execute(update(Received).values(last_at=None))
        (older,) = await told(installation)
        assert older.believed == day_of(hour), "it came before hours were noted"


async def test_a_mailbox_is_away_since_it_was_first_not_reached(installation: Installation, clock: TurnedClock) -> None:
    with running_dovecot() as dovecot:
        right, wrong = (poller(installation, dovecot.url("imap", password=each)) for each in (PASSWORD, "hunter2"))
        await look(right, clock)
        began = clock.now()
        await look(right, clock)
        (reached,) = await told(installation)
        assert (reached.trouble, reached.since, reached.looked_at) == (None, began, clock.now())
        dovecot.stop()
        await look(right, clock, LONG)
        lost = clock.now()
        dovecot.start()
        await look(wrong, clock, LONG)
        (away,) = await told(installation)
        assert (away.trouble, away.since) == ("it refuses user and password", lost)
        assert "hunter2" not in repr(away)
        assert away.place in dovecot.url("imap")
        await look(right, clock, LONG)
        (back,) = await told(installation)
        assert (back.trouble, back.since) == (None, clock.now())
        clock.turn(clock.now() + timedelta(minutes=15))
        (late,) = await told(installation)
        assert (late.trouble, late.since) == ("no worker looks into it", back.looked_at)
        clock.turn(clock.now() + timedelta(days=2))
        assert await told(installation) == [], "nobody means to use it any more"


async def of_postmark(hooks: Hooked) -> WayIn:
    (found,) = [each for each in await told(hooks.site.installation) if each.way == "postmark"]
    return found


async def test_a_webhook_that_brings_what_proves_nothing_is_told(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    async with hooked(installation) as hooks:
        await sent(hooks.site.installation, peer, [CAROL])
        assert (await of_postmark(hooks)).trouble is None
        event, hour = dead("postmark", return_address(peer)), clock.now()
        await hooks.take("postmark", hooks.signed("postmark", event))
        clock.turn(clock.now() + timedelta(hours=2))
        for _ in range(30):
            answer = await hooks.take("postmark", postmark(event, clock.now(), password="postmark:guessed"))
            assert answer.status_code == 401
        found = await of_postmark(hooks)
        assert (found.believed, found.doubted) == (hour, hour + timedelta(hours=2))
        assert (await counted(hooks.site.installation))["unproven"] == 1, (
            "no stranger makes us write as often as they do"
        )
        clock.turn(clock.now() + timedelta(seconds=11))
        await hooks.take("postmark", postmark(event, clock.now(), password=""))
        assert (await counted(hooks.site.installation))["unproven"] == 31
        await hooks.site.sign_in()
        page = " ".join((await hooks.site.browser.get("/console/returned")).text.split())
        assert "did not prove that the service sent it" in page
        assert "nothing of note has come by it yet" in page
        assert "guessed" not in page


async def test_whoever_watches_hears_of_it_and_the_service_stays_ready(
    sqlite_installation: Installation, clock: TurnedClock
) -> None:
    async with running_site(sqlite_installation) as site:
        installation = site.installation
        await beats(installation, "here-0")
        answer = await site.browser.get("/health/ready")
        assert (answer.status_code, answer.json()["ways_in"]) == (200, "ok")
        with running_dovecot() as dovecot:
            await look(poller(installation, dovecot.url("imap", password="hunter2")), clock)
            place = dovecot.url("imap").partition("@")[2].partition("/")[0]
        answer = await site.browser.get("/health/ready")
        assert (answer.status_code, answer.json()["status"], answer.json()["ways_in"]) == (200, "ready", "degraded")
        assert place not in answer.text
        metrics = await site.browser.get("/metrics", headers={"authorization": f"Bearer {METRICS_TOKEN}"})
        assert 'newsletter_way_in_open{way="mailbox"} 0.0' in metrics.text
        await site.sign_in()
        page = " ".join((await site.browser.get("/console/returned")).text.split())
        assert f"<code>{place}</code> has not been reached since 2 Nov 2026, 09:01 UTC: it refuses user" in page
        assert "hunter2" not in page
        (way,) = (await site.api("GET", "/returned")).json()["ways_in"]
        assert (way["way"], way["place"], way["trouble"]) == ("mailbox", place, "it refuses user and password")
