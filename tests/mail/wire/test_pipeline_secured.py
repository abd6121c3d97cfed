"""Taking over a connection that was secured, by STARTTLS or from its beginning, changes nothing about what is sent."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from newsletter.mail.outcome import Outcome, OutcomeKind, Stage
from newsletter.mail.wire.exchange import Patience
from tests.mail.wire.relaying import check_against_record, connection, send_all
from tests.support.faulty import Faults, faulty

READERS = [f"reader{number}@example.com" for number in range(4)]
DELIVERED = Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)
LONG = b"".join(b"%06d %s\r\n" % (number, b"x" * 60) for number in range(10_000))


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Give what the server shows, and what trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = _certificate(folder)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay.example.com")])
    today = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, today, today + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    return folder / "certificate.pem", folder / "key.pem"


@pytest.mark.parametrize("starttls", [True, False])
@pytest.mark.parametrize("content", [b"Hello\r\n", LONG])
async def test_mail_goes_over_a_secured_connection(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], content: bytes, starttls: bool
) -> None:
    shown, trusted = contexts
    faults = Faults(replies={("RCPT", READERS[1]): b"550 5.1.1 nobody\r\n"})
    secured = faulty(faults, starttls=shown) if starttls else faulty(faults, implicit_tls=shown)
    async with secured as server, connection(server, trusted=trusted, starttls=starttls) as pipeline:
        outcomes, begun = await send_all(pipeline, READERS, content)
    check_against_record(server, outcomes, begun)
    refused = Outcome(OutcomeKind.REFUSED, Stage.RCPT, 550, "5.1.1")
    assert outcomes == [(who, refused if who == READERS[1] else DELIVERED) for who in READERS]
    assert all(taken == content for _, taken in server.accepted)


async def test_a_long_content_that_the_network_does_not_take_is_at_most_in_doubt(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    """TLS does not tell how much of what it was given has left."""
    shown, trusted = contexts
    async with faulty(Faults(deaf_in_content=True), implicit_tls=shown) as server:
        async with connection(server, Patience(block=0.2, end=0.5), trusted=trusted) as pipeline:
            outcomes, begun = await send_all(pipeline, READERS, b"x" * 10_000_000)
        who, outcome = outcomes[0]
        assert who == READERS[0]
        assert outcome.stage is Stage.DATA
        assert outcome.kind in (OutcomeKind.DEFERRED, OutcomeKind.IN_DOUBT)
        check_against_record(server, outcomes, begun)
