"""Bounces: 2,000 reports over 50 connections into the listener of a running worker, beside smtp-sink, which throws away
what it takes. The same client sends both the same mails.

Each report is about another reader; it is answered when it is on the disk, and meanwhile the worker lets follow what is
due from those before it, as it does in earnest. A report that is lost is an error.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from signal import SIGUSR1

from sqlalchemy import func, select
from sqlmodel import col

from benchmarks.homes import Home
from benchmarks.ports import free_port, listens, wait_for
from benchmarks.processes import CLOCK, Watch
from benchmarks.rounds import RATE, Figures, Run
from benchmarks.rows import Row
from benchmarks.sending import NAMES
from benchmarks.sinks import running_sink
from newsletter.bounces.reports.tables import Report
from newsletter.database import sync_engine
from newsletter.delivery.return_address import of_letter
from newsletter.serving.running import event_loop
from newsletter.subscribers.tables import Subscription

_CONNECTIONS = 50
_PEOPLE = 2_000
_DOMAIN = "bounces.example.com"
_START_SECONDS = 60
_RETURNED = "X-Example: what the mail that came back had at its head, and nobody reads\r\n" * 40
_REPORT = f"""Return-Path: <>\r
From: MAILER-DAEMON@relay.example.com (Mail Delivery System)\r
Subject: Undelivered Mail Returned to Sender\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"\r
\r
--cut\r
\r
This is the mail system at host relay.example.com.\r
\r
--cut\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; relay.example.com\r
\r
Final-Recipient: rfc822; reader@example.com\r
Action: failed\r
Status: 5.2.2\r
Diagnostic-Code: smtp; 552 5.2.2 Mailbox full\r
\r
--cut\r
Content-Type: text/rfc822-headers\r
\r
{_RETURNED}\r
--cut--\r
.\r
""".encode("ascii")


def deliver(port: int, recipients: Sequence[str]) -> float:
    """Send a report to each of them over all connections; give the seconds. Raises where one is not taken."""
    with asyncio.Runner(loop_factory=event_loop) as runner:
        began = CLOCK.monotonic()
        runner.run(_deliver(port, recipients))
        return CLOCK.monotonic() - began


async def _deliver(port: int, recipients: Sequence[str]) -> None:
    waiting = iter(recipients)
    await asyncio.gather(*(_talk(port, waiting) for _ in range(_CONNECTIONS)))


async def _talk(port: int, waiting: Iterator[str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await _expect(reader, b"220")
    writer.write(b"EHLO relay.example.com\r\n")
    await _expect(reader, b"250")
    for recipient in waiting:
        writer.write(f"MAIL FROM:<>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode("ascii"))
        for reply in (b"250", b"250", b"354"):
            await _expect(reader, reply)
        writer.write(_REPORT)
        await _expect(reader, b"250")
    writer.write(b"QUIT\r\n")
    await _expect(reader, b"221")
    writer.close()


async def _expect(reader: asyncio.StreamReader, code: bytes) -> None:
    while (line := await reader.readline())[3:4] == b"-":
        pass
    if not line.startswith(code):
        raise RuntimeError(f"a report was not taken: {line!r}")


def ours(run: Run, kind: str, profile: Path | None = None) -> Figures:
    """Send them to a worker; raise where one is not in its database."""
    with run.homes.fresh(kind, _PEOPLE) as home:
        recipients = _return_addresses(home)
        port = free_port()
        settings = {"bounce_domain": _DOMAIN, "inbound_listen": f"127.0.0.1:{port}"}
        with home.program(["worker"], settings, profile) as worker:
            wait_for(lambda: listens(port), _START_SECONDS, "the listener")
            if profile:
                worker.signal(SIGUSR1)
            watch = Watch({"worker": [worker.pid]}, home.database_pid)
            seconds = deliver(port, recipients)
            usage = watch.stop()
        if (stored := _stored(home)) != len(recipients):
            raise RuntimeError(f"{len(recipients)} reports were taken, and {stored} are there")
    each = {f"{name} µs": used / len(recipients) * 1e6 for name, used in usage.cpu.items()}
    return {RATE: len(recipients) / seconds, **each}


def theirs() -> Figures:
    """Send as many to smtp-sink."""
    with running_sink() as sink:
        return {RATE: _PEOPLE / deliver(sink.port, [f"reader{number}@{_DOMAIN}" for number in range(_PEOPLE)])}


def _return_addresses(home: Home) -> list[str]:
    engine = sync_engine(home.settings.database).execution_options(read_only=True)
    with engine.connect() as connection:
        subscriptions = connection.execute(select(col(Subscription.id))).scalars().all()
    engine.dispose()
    keys, now = home.settings.keyring(), CLOCK.now()
    return [of_letter(keys, _DOMAIN, subscription_id, now) for subscription_id in subscriptions]


def _stored(home: Home) -> int:
    engine = sync_engine(home.settings.database).execution_options(read_only=True)
    with engine.connect() as connection:
        stored = connection.execute(select(func.count()).select_from(Report)).scalar_one()
    engine.dispose()
    return stored


def measure(run: Run) -> list[Row]:
    """Measure every database, with the peer beside them."""
    sides: dict[str, Callable[[], Figures]] = {"smtp-sink": theirs}
    sides |= {kind: partial(ours, run, kind) for kind in run.databases}
    found = run.interleave("Bounces", sides)
    return [
        Row(
            benchmark=f"listener-{kind}",
            what=f"Bounces taken and stored, {NAMES[kind]}",
            peer="smtp-sink",
            unit="mails/s",
            ours=found[kind].of(RATE),
            theirs=found["smtp-sink"].of(RATE),
            details=found[kind].details(),
        )
        for kind in run.databases
    ]
