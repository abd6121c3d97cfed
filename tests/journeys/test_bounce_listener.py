"""A bounce comes in to the running program, which is killed the moment it has said yes (RULES F3, F5; promises P3, P6).

The dead are buried all the same, nobody else is, and the log names nobody.
"""

import json
import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bounces.reading.returned import postfix_report
from tests.journeys.story import Company, open_company
from tests.support.peer import SmtpPeer
from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.waiting import eventually

DOMAIN = "bounces.example.com"
HOLD_SECONDS = 2


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def company(
    request: pytest.FixtureRequest, database_kind: str, tmp_path: Path, peer: SmtpPeer, port: int
) -> Iterator[Company]:
    """Give a company to which bounces come back, once on each database."""
    url = None if database_kind == "sqlite" else str(request.getfixturevalue("empty_database_url"))
    settings = {
        "bounce_domain": DOMAIN,
        "inbound_listen": f"127.0.0.1:{port}",
        "dead_address_hold": str(HOLD_SECONDS),
    }
    with Program(tmp_path / "program", peer.url, url, **settings) as running:
        yield open_company(running)


def test_a_kill_after_the_answer_loses_nothing(company: Company, peer: SmtpPeer, port: int) -> None:
    program = company.program
    readers = company.readers(8)
    company.finished(company.write_and_send())
    dead = readers[3]
    (to,) = (mail.sender for mail in peer.mails if mail.recipients == (dead,))
    raw = postfix_report("550 5.1.1 User unknown", "5.1.1", address=dead)

    with smtplib.SMTP("127.0.0.1", port, timeout=30) as server:
        assert server.sendmail("", [to], raw) == {}
        program.kill()
    program.start()
    eventually(lambda: not company.find(dead), what="the end of who is dead")
    assert all(company.find(reader) for reader in readers if reader != dead)
    with smtplib.LMTP("127.0.0.1", port, timeout=30) as server:
        assert server.sendmail("", [to], raw) == {}, "nobody learns that they are gone"
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            server.sendmail("", [f"b-{'a' * 51}@{DOMAIN}"], raw)

    with socket.create_connection(("127.0.0.1", port), timeout=30) as idle:
        assert idle.recv(1000).startswith(b"220")
        idle.sendall(f"{dead} {to}\r\n".encode())
        assert idle.recv(1000).startswith(b"500")
        assert program.stop() == 0
        assert idle.recv(1000).startswith(b"421")
    told = program.log.lower()
    assert [json.loads(line)["level"] for line in told.splitlines() if '"listener' in line] == ["info", "info"]
    assert not [word for word in (dead, to, to.partition("@")[0], *readers) if word in told]
