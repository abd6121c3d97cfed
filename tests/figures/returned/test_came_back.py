"""What came back stays counted, whoever is deleted, and names no domain that may be somebody's own (RULES C1, C8)."""

from datetime import timedelta

from sqlmodel import select

from newsletter.bounces.came_back import KEPT, large
from newsletter.bounces.reports.tables import CameBack
from newsletter.clock import TurnedClock
from newsletter.delivery.tables import Mailing
from newsletter.figures.returned import actions as returned
from newsletter.figures.returned import alarms
from newsletter.figures.returned import reports as returned_reports
from newsletter.figures.returned.actions import Kind, OfMailing, Told
from newsletter.installation import Installation
from newsletter.retention.rules import RULES
from tests.bounces.coming_back import CAROL, HOUR, alive, comes, follows, report, reports, return_address, sent
from tests.delivery.cast import people
from tests.support.peer import SmtpPeer

FULL = "552 5.2.2 Mailbox full"
UNSIGNED = "550 5.7.26 this mail is unauthenticated"
REFUSED, DEAD_LATER, OVER_QUOTA = people(3)


async def figures(installation: Installation, mailing: Mailing) -> OfMailing:
    async with installation.database.read() as session:
        return await returned.of_mailing(session, mailing)


async def shown_reports(installation: Installation, mailing: Mailing) -> list[tuple[str, str | None, str | None]]:
    async with installation.database.read() as session:
        page = await returned_reports.reports(session, mailing.id, "2999-01-01.0")
        assert page == await returned_reports.reports(session, mailing.id)
        assert (await returned_reports.reports(session, mailing.id, "2000-01-01.0")).items == []
        assert (await returned_reports.reports(session, None)).items == []
    return [(each.verdict, each.action, each.status) for each in page.items]


async def counted(installation: Installation) -> list[CameBack]:
    async with installation.database.read() as session:
        return list((await session.exec(select(CameBack))).all())


async def test_what_came_back_stays_counted_when_its_people_are_deleted(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    peer.refuse(REFUSED)
    mailing = await sent(installation, peer, [*people(20), CAROL])
    for email in (DEAD_LATER, CAROL):
        for way in ("listener", "mailbox"):
            await comes(installation, report(email), return_address(peer, email), way)
    await comes(installation, report(OVER_QUOTA, FULL, "5.2.2"), return_address(peer, OVER_QUOTA))
    await follows(installation)
    before = await figures(installation, mailing)
    assert (before.delivered, before.bounced) == (20, 3)
    assert before.verdicts == [Told("dead", 1, 2, ["5.1.1"]), Told("mailbox_full", 0, 1, ["5.2.2"])]
    shown = [(each.domain, each.count, each.kinds[Kind.DEAD]) for each in before.domains]
    assert shown == [("example.com", 3, 2), ("", 1, 1)], "example.net is Carol's alone"
    clock.turn(clock.now() + HOUR)
    assert await follows(installation) == 3
    assert [each.verdict for each in await reports(installation)] == ["mailbox_full"]
    assert await figures(installation, mailing) == before
    assert await shown_reports(installation, mailing) == [("mailbox_full", "failed", "5.2.2")]
    async with installation.database.read() as session:
        days = await returned.trend(session, clock.now())
    assert [sum(day.kinds.values()) for day in days] == [0] * 29 + [4]


async def test_a_domain_is_named_where_five_people_subscribe_with_it(
    installation: Installation, peer: SmtpPeer
) -> None:
    await sent(installation, peer, [*people(5, "five.example.org"), *people(4, "four.example.org")])
    async with installation.database.read() as session:
        assert await large(session, installation) == {"five.example.org"}


async def test_the_last_of_a_domain_are_not_named_any_more(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    five = people(5, "five.example.org")
    await sent(sqlite_installation, peer, [*people(20), *five])
    for email in five[:2]:
        await comes(sqlite_installation, report(email), return_address(peer, email))
        await follows(sqlite_installation)
        clock.turn(clock.now() + HOUR)
        assert await follows(sqlite_installation) == 1
    assert await alive(sqlite_installation) == {*people(20), *five[2:]}
    assert sorted(row.domain for row in await counted(sqlite_installation)) == ["", "five.example.org"]


async def test_alarms_are_loud_for_a_week(installation: Installation, clock: TurnedClock, peer: SmtpPeer) -> None:
    peer.refuse(REFUSED, UNSIGNED, stage="END")
    await sent(installation, peer, people(20))
    await comes(installation, report(DEAD_LATER, UNSIGNED, "5.7.26"), return_address(peer, DEAD_LATER))
    await follows(installation)
    async with installation.database.read() as session:
        (alarm,) = await alarms.sounded(session, clock.now())
        assert await alarms.sounded(session, clock.now() + timedelta(days=7)) == []
    assert (alarm.code, alarm.count) == ("5.7.26", 2)
    assert "SPF, DKIM and DMARC" in alarm.reason
    assert [(each.subject, each.paused) for each in alarm.mailings] == [("News of the week", False)]


async def test_the_counts_go_after_400_days(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    peer.refuse(REFUSED)
    await sent(sqlite_installation, peer, people(20))
    (rule,) = (rule for rule in RULES if rule.name == "counts of what came back")
    for days, left in ((0, 1), (KEPT.days + 1, 0)):
        clock.turn(clock.now() + timedelta(days=days))
        async with sqlite_installation.database.write() as session:
            assert await rule.purge(session, sqlite_installation) == 1 - left
        assert len(await counted(sqlite_installation)) == left
