"""A report of a delivery: stored once, believed once, and only where the mail was really taken (RULES F1-F5)."""

from datetime import timedelta

import pytest
from sqlmodel import select

from newsletter.bounces.reports.actions import Taken
from newsletter.bounces.reports.history import BOUNCED, returned
from newsletter.bounces.reports.tables import Received
from newsletter.clock import TurnedClock, day_of
from newsletter.delivery.return_address import ReturnAddresses
from newsletter.delivery.tables import Mailing
from newsletter.installation import Installation
from newsletter.subscribers.tables import SignalState
from tests.bounces.coming_back import (
    CAROL,
    HOUR,
    alive,
    comes,
    follows,
    report,
    reports,
    return_address,
    sent,
    signals,
)  # fmt: skip
from tests.delivery.cast import begin, erase, found, mailing_to, people, send, standing, subscribe
from tests.support.peer import SmtpPeer


async def came_back(installation: Installation, mailing: Mailing) -> dict[str, int]:
    async with installation.database.read() as session:
        return await returned(session, mailing.id)


async def test_a_mailbox_that_is_gone_is_mailed_no_more_and_its_person_deleted_after_the_hold(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    mailing = await sent(installation, peer, [*people(5), CAROL])
    before = await standing(installation, mailing)
    for way in ("listener", "mailbox", "command"):
        for _ in range(2):
            await comes(installation, report(), return_address(peer), way)
    assert await follows(installation) == 0
    assert await signals(installation) == [SignalState.HELD]
    assert await came_back(installation, mailing) == {"dead": 1, BOUNCED: 1}
    clock.turn(clock.now() + HOUR)
    assert await follows(installation) == 1
    assert await alive(installation) == set(people(5))
    assert await reports(installation) == [], "they go with the person"
    assert await came_back(installation, mailing) == {"dead": 1, BOUNCED: 1}
    assert await standing(installation, mailing) == before
    assert await comes(installation, report(), return_address(peer)) == Taken.NOBODY


async def test_what_is_kept_is_its_status_fields_and_nothing_of_the_mail(
    sqlite_installation: Installation, peer: SmtpPeer
) -> None:
    await sent(sqlite_installation, peer, [*people(5), CAROL])
    said = f"550 5.1.1 <{CAROL}> User unknown, says Kari at mx.example.net"
    await comes(sqlite_installation, report(diagnostic=said), return_address(peer).upper())
    (kept,) = await reports(sqlite_installation)
    assert (kept.verdict, kept.code, kept.action, kept.status) == ("dead", "5.1.1", "failed", "5.1.1")
    assert "user unknown" in (kept.reply or "")
    told = repr(kept.model_dump()).lower()
    assert not [word for word in ("carol", "kari", "mx.example") if word in told]
    await follows(sqlite_installation)
    (kept,) = await reports(sqlite_installation)
    today = day_of(sqlite_installation.clock.now())
    assert kept.received_at == kept.due_at == kept.sent_on == today, "no hour of it stays"


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        (report(diagnostic="552 5.2.2 mailbox full", status="5.2.2"), "mailbox_full"),
        (report(diagnostic="550 5.7.1 blocked by policy", status="5.7.1"), "policy"),
        (report(diagnostic="550 5.1.1 mailbox full"), "unknown"),
        (report(address="carol.private@example.org"), "unknown"),
        (report(diagnostic="451 4.1.1 greylisted", status="4.1.1", action="delayed"), "transient"),
        (report(diagnostic="550 5.1.1 user unknown", action="delayed"), "transient"),
        (b"Auto-Submitted: auto-replied\nSubject: Out of office\n\nI am away.", "automatic"),
    ],
)
async def test_whatever_else_comes_back_is_written_down_and_that_is_all(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer, raw: bytes, verdict: str
) -> None:
    """Promise P6; a mail forwarded on to a dead mailbox among it."""
    await sent(sqlite_installation, peer, [*people(5), CAROL])
    assert await comes(sqlite_installation, raw, return_address(peer)) == Taken.ACCEPTED
    await follows(sqlite_installation)
    clock.turn(clock.now() + 2 * HOUR)
    assert await follows(sqlite_installation) == 0
    assert await signals(sqlite_installation) == []
    assert [each.verdict for each in await reports(sqlite_installation)] == [verdict]


async def test_a_report_counts_for_five_days(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    await sent(sqlite_installation, peer, [*people(5), CAROL, "dora@example.org"])
    clock.turn(clock.now() + timedelta(days=5) - HOUR)
    await comes(sqlite_installation, report("dora@example.org"), return_address(peer, "dora@example.org"))
    clock.turn(clock.now() + 2 * HOUR)
    assert await comes(sqlite_installation, report(), return_address(peer)) == Taken.ACCEPTED
    await follows(sqlite_installation)
    assert [(each.state, each.why) for each in await reports(sqlite_installation)] in (
        [("settled", None), ("ignored", "late")],
        [("ignored", "late"), ("settled", None)],
    )
    assert len(await signals(sqlite_installation)) == 1


async def test_only_the_first_report_of_a_delivery_counts(sqlite_installation: Installation, peer: SmtpPeer) -> None:
    mailing = await sent(sqlite_installation, peer, [*people(5), CAROL])
    await comes(sqlite_installation, report(diagnostic="550 5.7.1 blocked", status="5.7.1"), return_address(peer))
    await follows(sqlite_installation)
    await comes(sqlite_installation, report(), return_address(peer))
    await follows(sqlite_installation)
    assert await signals(sqlite_installation) == []
    assert await came_back(sqlite_installation, mailing) == {"policy": 1, BOUNCED: 1}


async def test_nothing_follows_where_the_relay_never_took_the_mail(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    """As where somebody is put off, and whoever saw the envelope forges a report."""
    peer.defer(CAROL)
    mailing = await mailing_to(installation, [CAROL])
    await send(installation, peer, mailing)
    address = [line.partition("<")[2].partition(">")[0] for line in peer.commands if line.startswith("MAIL")][-1]
    assert await comes(installation, report(), address) == Taken.ACCEPTED
    await follows(installation)
    clock.turn(clock.now() + 2 * HOUR)
    await follows(installation)
    assert [(each.state, each.why) for each in await reports(installation)] == [("ignored", "not_accepted")]
    assert await signals(installation) == []


async def test_a_report_that_is_faster_than_the_ledger_waits_for_it(
    installation: Installation, clock: TurnedClock, peer: SmtpPeer
) -> None:
    newsletter = await found(installation)
    await subscribe(installation, newsletter, [CAROL])
    mailing = await begin(installation, newsletter)
    returns = ReturnAddresses(installation.keys, installation.settings.bounce_domain, mailing.id)
    await comes(installation, report(), returns.of(0, clock.now().timestamp()))
    await follows(installation)
    assert [each.state for each in await reports(installation)] == ["taken"]
    await send(installation, peer, mailing)
    clock.turn(clock.now() + timedelta(minutes=1))
    await follows(installation)
    assert [each.state for each in await reports(installation)] == ["settled"]
    assert await signals(installation) == [SignalState.HELD]


async def test_whoever_is_erased_between_a_report_and_what_follows_is_gone_for_good(
    installation: Installation, peer: SmtpPeer
) -> None:
    await sent(installation, peer, [*people(5), CAROL])
    await comes(installation, report(), return_address(peer))
    await erase(installation, CAROL)
    assert await follows(installation) == 0
    assert (await reports(installation), await signals(installation)) == ([], [])


async def test_what_came_in_is_counted_and_not_kept(sqlite_installation: Installation, peer: SmtpPeer) -> None:
    await sent(sqlite_installation, peer, [*people(5), CAROL])
    address = return_address(peer)
    forged = address[:20] + ("a" if address[20] != "a" else "b") + address[21:]
    for each in (address, address, forged, "books@example.com"):
        await comes(sqlite_installation, report(), each)
    async with sqlite_installation.database.read() as session:
        counted = {each.taken: each.count for each in (await session.exec(select(Received))).all()}
    assert counted == {"accepted": 1, "repeated": 1, "forged": 1, "foreign": 1}
