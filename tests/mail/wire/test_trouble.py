"""What keeps the relay from being used is told in a sentence that says what to do, and tells no secret."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ssl import SSLContext
from typing import Any

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from newsletter.mail.outcome import Envelope, OutcomeKind
from newsletter.mail.wire.relays import read_relay
from newsletter.mail.wire.smtp import Connection
from newsletter.mail.wire.trouble import Trouble, TroubleKind, trouble_at_mail, trouble_of
from tests.support.certificates import Authority
from tests.support.peer import SmtpPeer
from tests.support.ports import free_port

USER, PASSWORD = "kari@example.com", "hemmelig & sær"
KARI = Envelope("news@example.org", "kari@example.com")


class Taker:
    """Takes every mail, and counts them."""

    def __init__(self) -> None:
        self.mails = 0

    async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 (as aiosmtpd calls it)
        self.mails += 1
        return "250 2.0.0 taken"


@asynccontextmanager
async def relay(
    implicit: SSLContext | None = None, starttls: SSLContext | None = None, **options: Any
) -> AsyncIterator[tuple[int, Taker]]:
    """Run a real server; give its port and what takes the mail."""
    taker = Taker()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(taker, hostname="relay.example.com", tls_context=starttls, **options),
        "127.0.0.1",
        0,
        ssl=implicit,
    )
    try:
        yield server.sockets[0].getsockname()[1], taker
    finally:
        server.close()


async def trouble(port: int, scheme: str = "smtp", host: str = "127.0.0.1", **options: Any) -> Trouble:
    """Begin a connection as it is begun for mail, which must fail; give what is told of it."""
    client = aiosmtplib.SMTP(
        hostname=host,
        port=port,
        use_tls=scheme == "smtps",
        start_tls=scheme == "smtp+starttls",
        local_hostname="news.example.com",
        **{"timeout": 5, **options},
    )
    with pytest.raises(Exception) as caught:  # noqa: PT011 (which one it is, is asked below)
        await client.connect()
    client.close()
    found = trouble_of(caught.value, host, port)
    for secret in (USER, PASSWORD, "kari", "hemmelig"):
        assert secret not in found.sentence
    assert "{" not in found.sentence
    return found


@pytest.fixture
def authority(tmp_path: Any) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Give the authority, trusted the way an operator does it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_bad_certificate_is_not_accepted(trusted: Authority, scheme: str) -> None:
    for shown, kind, word in (
        (trusted.certificate(by_itself=True), TroubleKind.CERTIFICATE_UNTRUSTED, "SSL_CERT_FILE"),
        (trusted.certificate(["mail.example.com"]), TroubleKind.CERTIFICATE_WRONG_NAME, "127.0.0.1"),
        (trusted.certificate(lasts=timedelta(days=90)), TroubleKind.CERTIFICATE_EXPIRED, "renewed"),
    ):
        secured = {"implicit" if scheme == "smtps" else "starttls": shown.context}
        async with relay(**secured) as (port, _):
            found = await trouble(port, scheme)
        assert found.kind is kind
        assert word in found.sentence


async def test_an_authority_that_nobody_named_is_not_trusted(authority: Authority) -> None:
    async with relay(implicit=authority.certificate().context) as (port, _):
        assert (await trouble(port, "smtps")).kind is TroubleKind.CERTIFICATE_UNTRUSTED


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_mail_goes_only_to_a_relay_that_is_who_it_says(
    trusted: Authority, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Nothing has to be switched on for that, and one handshake does for many mails."""
    shown = trusted.certificate().context
    handshakes = []
    shown.sni_callback = lambda *_: handshakes.append(1)
    secured = {"implicit" if scheme == "smtps" else "starttls": shown}
    async with relay(**secured) as (port, taker):
        connection = Connection(read_relay(f"{scheme}://localhost:{port}"), "news.example.com")
        kinds = {(await connection.send(KARI, b"Subject: hi\r\n\r\nhi\r\n")).kind for _ in range(20)}
        await connection.close()
        assert (kinds, taker.mails, len(handshakes)) == ({OutcomeKind.DELIVERED}, 20, 1)
        monkeypatch.delenv("SSL_CERT_FILE")
        stranger = Connection(read_relay(f"{scheme}://localhost:{port}"), "news.example.com")
        assert (await stranger.send(KARI, b"Subject: hi\r\n\r\nhi\r\n")).kind is OutcomeKind.NOT_ATTEMPTED
        assert taker.mails == 20


async def test_nothing_goes_in_the_clear_where_starttls_is_missing() -> None:
    async with relay() as (port, _):
        found = await trouble(port, "smtp+starttls", username=USER, password=PASSWORD)
    assert found.kind is TroubleKind.NO_STARTTLS
    assert f"127.0.0.1:{port} does not offer STARTTLS" in found.sentence


async def test_a_server_that_speaks_no_tls() -> None:
    async with relay() as (port, _):
        assert (await trouble(port, "smtps")).kind is TroubleKind.NO_TLS


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_wrong_password(trusted: Authority, scheme: str) -> None:
    shown = trusted.certificate().context
    secured = {"implicit" if scheme == "smtps" else "starttls": shown}
    refusing: dict[str, Any] = {
        "authenticator": lambda *_: AuthResult(success=False, handled=False),
        "auth_require_tls": False,
    }
    async with relay(**secured, **refusing) as (port, _):
        found = await trouble(port, scheme, username=USER, password=PASSWORD)
    assert (found.kind, found.code) == (TroubleKind.SIGN_IN_REFUSED, 535)
    assert "percent-encoded" in found.sentence


async def test_a_server_that_takes_no_passwords(peer: SmtpPeer) -> None:
    found = await trouble(peer.port, username=USER, password=PASSWORD)
    assert found.kind is TroubleKind.SIGN_IN_NOT_OFFERED


async def test_nobody_is_there() -> None:
    port = free_port()
    for host in ("127.0.0.1", "localhost"):
        assert (await trouble(port, host=host)).kind is TroubleKind.CONNECTION_REFUSED
    assert (await trouble(port, host="relay.invalid")).kind is TroubleKind.HOST_UNKNOWN


async def test_a_server_that_says_nothing() -> None:
    called: list[asyncio.StreamWriter] = []
    async with await asyncio.start_server(lambda _, writer: called.append(writer), "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        assert (await trouble(port, timeout=0.2)).kind is TroubleKind.TIMEOUT
        assert (await trouble(port, "smtps", timeout=0.2)).kind is TroubleKind.TIMEOUT
        for writer in called:
            writer.close()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("554 5.7.1 kari@example.com, we don't want you", TroubleKind.UNWELCOME),
        ("421 4.3.2 hemmelig", TroubleKind.BUSY),
        ("220 hemmelig", TroubleKind.HUNG_UP),
    ],
)
async def test_a_greeting_that_is_none(reply: str, kind: TroubleKind) -> None:
    """What the server says is not told on: it may name an address."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{reply}\r\n".encode())
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await trouble(port, username=USER, password=PASSWORD)).kind is kind


@pytest.mark.parametrize(
    ("code", "enhanced", "kind"),
    [
        (550, "5.7.1", TroubleKind.SENDER_REFUSED),
        (553, "5.1.8", TroubleKind.SENDER_REFUSED),
        (530, "5.7.0", TroubleKind.SIGN_IN_WANTED),
        (550, "5.7.0", TroubleKind.SIGN_IN_WANTED),
        (538, None, TroubleKind.TLS_WANTED),
        (451, "4.3.0", TroubleKind.BUSY),
        (421, None, TroubleKind.BUSY),
    ],
)
def test_a_sender_that_is_refused(code: int, enhanced: str | None, kind: TroubleKind) -> None:
    found = trouble_at_mail(code, enhanced, "mail.example.com", 587)
    assert found.kind is kind
    assert "mail.example.com:587" in found.sentence
    assert str(code) in found.sentence


@pytest.mark.parametrize("kind", list(TroubleKind))
def test_each_trouble_has_its_sentence(kind: TroubleKind) -> None:
    sentence = Trouble(kind, "mail.example.com", 587, 550).sentence
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_what_nobody_has_thought_of_still_tells_no_secret() -> None:
    found = trouble_of(RuntimeError(PASSWORD), "mail.example.com", 587)
    assert found.kind is TroubleKind.OTHER
    assert found.sentence == "The relay mail.example.com:587 can't be used (RuntimeError)."
    revoked = ssl.SSLCertVerificationError(1, PASSWORD)
    revoked.verify_code = 23
    assert trouble_of(revoked, "mail.example.com", 587).kind is TroubleKind.CERTIFICATE_INVALID
