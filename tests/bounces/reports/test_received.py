"""A mail that a mail server hands over on standard input (RULES E4, F5)."""

import pytest

from newsletter.bounces.reports.actions import Taken, received
from newsletter.bounces.reports.receiving import receive
from newsletter.installation import Installation
from newsletter.subscribers.tables import SignalState
from newsletter.unsubscribe.mailto import unsubscribe_mailbox
from tests.bounces.coming_back import CAROL, alive, follows, report, return_address, sent, signals
from tests.delivery.cast import people
from tests.support.peer import SmtpPeer


async def handed_over(installation: Installation, raw: bytes, *recipients: str) -> Taken | None:
    async with installation.database.write() as session:
        return await receive(session, installation, raw, recipients)


def wish(to: str, *headers: str) -> bytes:
    """Give what somebody's mail program sends when they press unsubscribe."""
    return "\n".join(["From: else@example.com", f"To: {to}", "Subject: unsubscribe", *headers, "", ""]).encode()


@pytest.mark.parametrize("named", ["envelope", "header"])
async def test_a_report_stops_the_sending_whoever_says_whom_it_is_for(
    installation: Installation, peer: SmtpPeer, named: str
) -> None:
    await sent(installation, peer, [*people(5), CAROL])
    to = return_address(peer).upper()
    if named == "envelope":
        assert await handed_over(installation, report(), "postmaster@bounces.example.com", to) == Taken.ACCEPTED
    else:
        assert await handed_over(installation, f"Delivered-To: {to}\n".encode() + report()) == Taken.ACCEPTED
    assert await handed_over(installation, report(), to) == Taken.REPEATED
    await follows(installation)
    assert await signals(installation) == [SignalState.HELD]


async def test_a_mail_to_the_unsubscribe_address_ends_what_it_is_signed_for(
    sqlite_installation: Installation, peer: SmtpPeer
) -> None:
    await sent(sqlite_installation, peer, [*people(2), CAROL])
    to = str(peer.mails_to(CAROL)[-1].message["List-Unsubscribe"]).partition("<mailto:")[2]
    to = to.partition("?")[0]
    for header in ("Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated; owner", "Return-Path: <>"):
        assert await handed_over(sqlite_installation, wish(to, header)) == Taken.AUTOMATIC
    assert CAROL in await alive(sqlite_installation)
    assert await handed_over(sqlite_installation, wish(to)) == Taken.UNSUBSCRIBED
    assert await alive(sqlite_installation) == set(people(2))
    assert await handed_over(sqlite_installation, wish(to)) == Taken.UNSUBSCRIBED


async def test_what_is_for_nobody_here_is_left_alone(sqlite_installation: Installation) -> None:
    forged = unsubscribe_mailbox(sqlite_installation.keys, "a" * 26, "other.example.com")
    for raw in (wish("editor@example.com"), wish(forged), b"", b"\0\xff\n\n", report()):
        assert await handed_over(sqlite_installation, raw) is None
    made_up = f"b-{'a' * 55}@bounces.example.com"
    assert await handed_over(sqlite_installation, report(), made_up) == Taken.FORGED
    async with sqlite_installation.database.read() as session:
        assert {each.taken: each.count for each in await received(session)} == {"foreign": 5, "forged": 1}


async def test_a_head_that_was_written_to_be_hard_to_read_holds_nobody_up(
    sqlite_installation: Installation, peer: SmtpPeer
) -> None:
    await sent(sqlite_installation, peer, [*people(5), CAROL])
    to = return_address(peer)
    for knot in ("(" * 5000, '"(' * 5000, "<" * 5000, "a@" * 5000):
        assert await handed_over(sqlite_installation, wish(knot)) is None
        head = f"To: {knot}\nTo: =?utf-8?q?The?= desk (at {knot[:9]}) <{to}>, x\n".encode()
        assert await handed_over(sqlite_installation, head + report()) is not None
