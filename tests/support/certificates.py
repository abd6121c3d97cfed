"""An authority of our own that signs certificates for servers on loopback, good and bad ones."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_LONG = timedelta(days=36500)
_HERE = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate and of its key."""

    file: Path
    key_file: Path

    @property
    def context(self) -> SSLContext:
        """Give what a server shows it with."""
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key_file)
        return context


class Authority:
    """Signs certificates. Whoever names `file` in SSL_CERT_FILE trusts them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example Authority")])
        self.file = folder / "authority.pem"
        certificate = self._build(self._name, self._key, _LONG)
        certificate = certificate.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.file.write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def certificate(
        self, names: Iterable[str] = _HERE, *, lasts: timedelta = _LONG, by_itself: bool = False
    ) -> Certificate:
        """Make a certificate for names and addresses, valid from 2020 on; on demand signed by nobody but itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay")])
        builder = self._build(subject, key, lasts, issuer=subject if by_itself else None)
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        signed = builder.sign(key if by_itself else self._key, hashes.SHA256())
        return self._write(f"{signed.serial_number:x}", signed, key)

    def _build(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta, issuer: x509.Name | None = None
    ) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(
            issuer or self._name, subject, key.public_key(), x509.random_serial_number(), _LONG_AGO, _LONG_AGO + lasts
        )

    def _write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Certificate:
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        written = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        written.file.write_bytes(certificate.public_bytes(pem))
        written.key_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        return written


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
