"""The mail hosts of the demonstration's readers: what they send back, and how they bring it."""

import asyncio
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from newsletter.bounces.reading.reading import explain, read
from newsletter.bounces.reading.verdicts import Verdict
from newsletter.clock import SystemClock
from newsletter.demo.replies import AWAY, FULL, MOVED, Copy, reply_to
from newsletter.demo.returning import Hosts
from tests.support.peer import SmtpPeer
from tests.support.ports import free_port
from tests.support.waiting import eventually_async

RETURN = "b-signed@bounces.example.com"
LETTER = (
    b"From: Fjordbrevet <post@example.com>\r\nTo: =?utf-8?q?=C3=85se_Sj=C3=B8vik?= <reader@example.com>\r\n"
    b"Subject: =?utf-8?q?Hav=C3=B8rna?= er tilbake\r\nMessage-ID: <7@example.com>\r\n\r\nHei!\r\n"
)
ISSUE = b"List-Id: <fjordbrevet.example.com>\r\n" + LETTER


def copy_of(raw: bytes, reader: str) -> Copy:
    return Copy(reader, RETURN, raw, datetime(2026, 11, 2, 9, 0, tzinfo=UTC), "7")


@pytest.mark.parametrize(
    ("reader", "verdict"), [(MOVED, Verdict.DEAD), (FULL, Verdict.MAILBOX_FULL), (AWAY, Verdict.AUTOMATIC)]
)
def test_three_hosts_send_back_what_real_ones_do(reader: str, verdict: Verdict) -> None:
    reply = reply_to(copy_of(ISSUE, reader))
    assert reply is not None
    assert reply.isascii()
    assert [reading.verdict for reading in read(reply, reader)] == [verdict]
    assert explain(reply).verdict is verdict


def test_nothing_comes_back_for_a_letter_or_from_anybody_else() -> None:
    assert [reply_to(copy_of(LETTER, reader)) for reader in (MOVED, FULL, AWAY)] == [None] * 3
    assert reply_to(copy_of(ISSUE, "reader1@example.com")) is None


async def test_what_is_turned_away_is_brought_again(peer: SmtpPeer) -> None:
    peer.defer(RETURN, times=2)
    hosts = Hosts(SystemClock(), peer.port, pauses=(0, 0, 0))
    hosts.take(RETURN, [MOVED], ISSUE)

    async def arrived() -> bool:
        return bool(peer.mails)

    await eventually_async(arrived, what="the arrival of the report")
    assert (peer.mails[0].sender, peer.mails[0].recipients) == ("", (RETURN,))
    await hosts.stop()
    assert len(peer.mails) == 1


async def test_what_nobody_takes_is_dropped_with_a_line_in_the_log() -> None:
    hosts = Hosts(SystemClock(), free_port(), pauses=(0, 0))
    with capture_logs() as log:
        hosts.take(RETURN, [MOVED], ISSUE)

        async def dropped() -> bool:
            return bool(log)

        await eventually_async(dropped, what="the line in the log")
    assert [(line["event"], line["tries"]) for line in log] == [("demo_reply_dropped", 2)]
    assert "@" not in str(log)
    await hosts.stop()


async def test_a_stop_waits_for_nobody(peer: SmtpPeer) -> None:
    peer.slow(3600)
    hosts = Hosts(SystemClock(), peer.port, pauses=(0,))
    later = Hosts(SystemClock(), peer.port, pauses=(3600,))
    hosts.take(RETURN, [FULL], ISSUE)
    later.take(RETURN, [FULL], ISSUE)

    async def in_the_middle() -> bool:
        return "DATA" in peer.commands

    await eventually_async(in_the_middle, what="the beginning of the report")
    async with asyncio.timeout(5):
        await hosts.stop()
        await later.stop()
