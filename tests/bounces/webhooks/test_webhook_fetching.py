"""What is fetched from Amazon: over TLS that is verified, from where it was asked for, and not without end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.bounces.webhooks.events import NotProven
from newsletter.bounces.webhooks.fetching import Certificates, Unreachable, fetch
from newsletter.clock import TurnedClock
from tests.bounces.webhooks.hooked import CERTIFICATE, Amazon
from tests.conftest import MORNING
from tests.support.certificates import Authority

_ANSWERS = {
    "/a.pem?v=1": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "/large.pem": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000,
    "/elsewhere.pem": b"HTTP/1.1 302 Found\r\nLocation: /a.pem?v=1\r\nContent-Length: 0\r\n\r\n",
    "/missing.pem": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "/strange.pem": b"SSH-2.0-OpenSSH\r\n",
}


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    opened = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(opened.file))
    return opened


@pytest.fixture
async def host(authority: Authority) -> AsyncIterator[str]:
    """Give the address of a web server with a certificate for localhost."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(_ANSWERS[head.split()[1].decode()])
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=authority.certificate(["localhost"]).context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


async def test_only_what_is_there_over_verified_tls_is_taken(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await fetch(f"{host}/a.pem?v=1") == b"hi"
    for path in ("/large.pem", "/elsewhere.pem", "/missing.pem", "/strange.pem"):
        with pytest.raises(Unreachable):
            await fetch(host + path)
    with pytest.raises(Unreachable):
        await fetch(f"{host.replace('localhost', '127.0.0.1')}/a.pem?v=1")
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unreachable):
        await fetch(f"{host}/a.pem?v=1")


async def test_a_certificate_is_fetched_once_and_serves_until_it_is_over() -> None:
    clock, amazon = TurnedClock(MORNING), Amazon()
    certificates = Certificates(amazon, clock)
    keys = await asyncio.gather(*(certificates.key_at(CERTIFICATE) for _ in range(5)))
    assert len({key.public_numbers().n for key in keys}) == len(amazon.fetched) == 1
    clock.turn(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=366))
    with pytest.raises(NotProven):
        await certificates.key_at(CERTIFICATE)


async def test_what_is_no_certificate_proves_nothing() -> None:
    async def page(_: str) -> bytes:
        return b"<html>"

    with pytest.raises(NotProven):
        await Certificates(page, TurnedClock(MORNING)).key_at(CERTIFICATE)
