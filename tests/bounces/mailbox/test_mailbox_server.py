"""The IMAP server as it may be: away, silent, unsure, large, or one that can do little. A real one plays every part."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest
import structlog

from newsletter.bounces.mailbox import connection
from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from tests.bounces.coming_back import CAROL, reports, return_address, sent
from tests.bounces.mailbox.mailboxes import LONG, MOVED, RETURNED, UNREAD, counted, look, mail, poller, report_to
from tests.delivery.cast import people
from tests.support.dovecot import PASSWORD, Dovecot, running_dovecot
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually

WITHOUT_MOVE = "imap_capability = IMAP4rev1 UIDPLUS LITERAL+"
WITHOUT_UIDPLUS = "imap_capability = IMAP4rev1 LITERAL+"
MARKED = r"\Deleted"


@pytest.fixture
def dovecot(request: pytest.FixtureRequest) -> Iterator[Dovecot]:
    with running_dovecot(getattr(request, "param", "")) as server:
        yield server


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls"])
async def test_the_password_goes_to_a_server_with_a_good_certificate_alone(
    scheme: str,
    sqlite_installation: Installation,
    clock: TurnedClock,
    dovecot: Dovecot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asking = poller(sqlite_installation, dovecot.url(scheme))
    with structlog.testing.capture_logs() as log:
        await look(asking, clock)
        assert [line["why"] for line in log] == ["its certificate is not good for this host"]
        assert "Login: user" not in dovecot.log
        monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.authority.file))
        await look(asking, clock, LONG)
    assert [line["event"] for line in log] == ["mailbox_away", "mailbox_back"]
    assert "TLS" in eventually(lambda: [line for line in dovecot.log.splitlines() if "Login: user" in line])[0]


async def test_trouble_is_one_line_without_the_password_and_the_server_is_asked_ever_less(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer, dovecot: Dovecot
) -> None:
    await sent(sqlite_installation, peer, [*people(2), CAROL])
    dovecot.deliver(report_to(return_address(peer)))
    wrong, right = (poller(sqlite_installation, dovecot.url("imap", password=each)) for each in ("hunter2", PASSWORD))
    dovecot.stop()
    with structlog.testing.capture_logs() as log:
        for _ in range(30):
            await look(right, clock)
        dovecot.start()
        for _ in range(3):
            await look(wrong, clock, LONG)
        await look(right, clock, LONG)
    assert [line.get("why") for line in log] == [
        "it can't be reached, or has hung up",
        "it refuses user and password",
        None,
    ]
    assert "hunter2" not in str(log)
    assert PASSWORD not in str(log)
    assert len(await reports(sqlite_installation)) == 1


async def test_a_worker_that_is_to_end_waits_for_no_silent_server(
    sqlite_installation: Installation, clock: TurnedClock
) -> None:
    asked = asyncio.Event()

    async def greet_and_say_no_more(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK\r\n")
        tag = (await reader.readline()).split()[0]
        writer.write(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK\r\n")
        await reader.readline()
        asked.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greet_and_say_no_more, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        looking = poller(sqlite_installation, f"imap://reader:hunter2@127.0.0.1:{port}/INBOX")
        task = asyncio.create_task(look(looking, clock))
        await asked.wait()
        looking.cut_off()
        await asyncio.wait_for(task, 20)


@pytest.mark.parametrize("scheme", ["imap", "imaps"])
async def test_a_server_that_never_comes_to_the_end_of_its_greeting_is_away(
    scheme: str, sqlite_installation: Installation, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung_up = asyncio.Event()

    async def greet_ever_so_slowly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The beginning of a greeting, or of a record of TLS.
        writer.write(b"* OK" if scheme == "imap" else b"\x16\x03\x03\x40\x00")
        with suppress(OSError):
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        hung_up.set()

    monkeypatch.setattr(connection, "_CONNECT_SECONDS", 0.5)
    async with await asyncio.start_server(greet_ever_so_slowly, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        looking = poller(sqlite_installation, f"{scheme}://reader:hunter2@127.0.0.1:{port}/INBOX")
        with structlog.testing.capture_logs() as log:
            await asyncio.wait_for(look(looking, clock), 20)
        await hung_up.wait()
    assert [line["why"] for line in log] == ["it does not answer in time"]


async def test_a_folder_that_was_made_anew_is_looked_through_anew(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer, dovecot: Dovecot
) -> None:
    await sent(sqlite_installation, peer, [*people(2), CAROL])
    with dovecot.client() as client:
        client.create("Returned")
    dovecot.deliver(*[mail("editor@example.com", f"{number}") for number in range(5)], folder="Returned")
    first = poller(sqlite_installation, dovecot.url("imap", folder="Returned"))
    await look(first, clock)
    with dovecot.client() as client:
        client.delete("Returned")
        client.create("Returned")
    dovecot.deliver(report_to(return_address(peer)), folder="Returned")
    await look(first, clock)
    assert len(await reports(sqlite_installation)) == 1
    assert dovecot.mails("Returned") == []


@pytest.mark.parametrize("dovecot", [WITHOUT_MOVE, WITHOUT_UIDPLUS], indirect=True)
async def test_a_server_that_can_t_move_loses_nothing_that_others_have_marked(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer, dovecot: Dovecot
) -> None:
    await sent(sqlite_installation, peer, [*people(2), CAROL])
    dovecot.deliver(mail("editor@example.com", "A letter to the editor"), report_to(return_address(peer)))
    with dovecot.client() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", MARKED)
        client.unselect()
    letter = ("A letter to the editor", MARKED)
    marked = [] if dovecot.more == WITHOUT_MOVE else [(RETURNED, f"{MARKED} {MOVED}")]
    for _ in range(2):
        await look(poller(sqlite_installation, dovecot.url("imap")), clock)
        assert dovecot.mails() == [letter, *marked]
        assert dovecot.mails("Processed") == [(RETURNED, MOVED)]
    assert await counted(sqlite_installation) == {"accepted": 1}


async def test_much_foreign_mail_is_looked_at_once_and_a_large_mail_is_not_fetched_whole(
    sqlite_installation: Installation, clock: TurnedClock, peer: SmtpPeer, dovecot: Dovecot
) -> None:
    await sent(sqlite_installation, peer, [*people(2), CAROL])
    page = "A long line of somebody's mail. " * 300
    dovecot.fill(mail("editor@example.com", f"{number}", body=page) for number in range(1000))
    dovecot.deliver(report_to(return_address(peer)) + b"The mail that is returned.\n" * 100_000)
    before = dovecot.sent_bytes()
    await look(poller(sqlite_installation, dovecot.url("imap")), clock)
    fetched = dovecot.sent_bytes() - before
    assert 262_144 < fetched < 262_144 + 1000 * 200
    assert len(await reports(sqlite_installation)) == 1
    await look(poller(sqlite_installation, dovecot.url("imap")), clock)
    assert dovecot.sent_bytes() < before + fetched + 2000, "not even after a restart is anything fetched again"
    assert [flags for _, flags in dovecot.mails()] == [UNREAD] * 1000
