"""The keys that mail is signed with: read from the settings, made anew, and published in the DNS (RULES G6).

A domain signs with an RSA key, which every verifier knows; an Ed25519 key (RFC 8463) may stand beside it, never alone.
A key is replaced by signing with a new one under a new selector, while the old public key stays in the DNS until the
mails that it signed have arrived. So signing needs the current keys only, and rotation no setting of its own.
"""

import base64
import hashlib
import re
from dataclasses import dataclass

import idna
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

from newsletter.errors import MisconfiguredError
from newsletter.settings import Settings

RSA_BITS = 2048
_LONGEST_DNS_STRING = 255  # octets, RFC 1035 section 3.3
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)

PrivateKey = RSAPrivateKey | Ed25519PrivateKey
PublicKey = RSAPublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key under the selector by which its public half is found in the DNS."""

    selector: str
    private: PrivateKey

    @property
    def algorithm(self) -> str:
        """Give the algorithm as the a= of a signature names it."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, signed: bytes) -> bytes:
        """Give the signature over canonical header fields."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(signed, PKCS1v15(), hashes.SHA256())
        # RFC 8463 §3: Ed25519 signs the hash, not the fields.
        return self.private.sign(hashlib.sha256(signed).digest())


@dataclass(frozen=True, slots=True)
class SigningDomain:
    """The domain that vouches for a mail, and the keys it signs with: RSA, then Ed25519 where there is one."""

    name: str
    keys: tuple[SigningKey, ...]

    def records(self) -> list[tuple[str, str]]:
        """Give what must stand in the DNS for these keys: names, and the values of their TXT records."""
        return [dns_record(self.name, key.selector, key.private.public_key()) for key in self.keys]


def signing_domain_of(settings: Settings) -> SigningDomain | None:
    """Give the domain that signs by the settings; None where mail is not signed. Raises MisconfiguredError."""
    return read_domain(
        settings.dkim_domain,
        selector=settings.dkim_selector,
        key=settings.dkim_key,
        ed25519_selector=settings.dkim_ed25519_selector,
        ed25519_key=settings.dkim_ed25519_key,
    )


def read_domain(
    name: str, *, selector: str, key: str, ed25519_selector: str = "", ed25519_key: str = ""
) -> SigningDomain | None:
    """Read the domain and its keys (PEM) as the settings give them; None where no domain is set: no signing.

    Raises MisconfiguredError, with a sentence that names the setting and never shows a key.
    """
    given = {"DKIM_SELECTOR": selector, "DKIM_KEY": key}
    second = {"DKIM_ED25519_SELECTOR": ed25519_selector, "DKIM_ED25519_KEY": ed25519_key}
    if not name and not any((given | second).values()):
        return None
    missing = [setting for setting, value in ({"DKIM_DOMAIN": name} | given).items() if not value]
    missing += [setting for setting, value in second.items() if not value and any(second.values())]
    if missing:
        raise MisconfiguredError(f"Signing mail needs NEWSLETTER_{' and NEWSLETTER_'.join(missing)} too.")
    keys = [SigningKey(_selector("DKIM_SELECTOR", selector), _read_rsa(key))]
    if ed25519_key:
        keys.append(SigningKey(_selector("DKIM_ED25519_SELECTOR", ed25519_selector), _read_ed25519(ed25519_key)))
    if len({each.selector.lower() for each in keys}) < len(keys):
        raise MisconfiguredError("NEWSLETTER_DKIM_SELECTOR and NEWSLETTER_DKIM_ED25519_SELECTOR must differ.")
    return SigningDomain(_domain(name), tuple(keys))


def new_key(*, ed25519: bool = False) -> PrivateKey:
    """Make a private key: RSA with 2048 bits, or Ed25519."""
    return Ed25519PrivateKey.generate() if ed25519 else generate_private_key(65537, RSA_BITS)


def private_pem(key: PrivateKey) -> str:
    """Write a private key as the settings take it: PEM, not encrypted. For its owner's eyes only."""
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def dns_record(domain: str, selector: str, public: PublicKey) -> tuple[str, str]:
    """Give the name and the value of the TXT record that publishes a key (RFC 6376 §3.6, RFC 8463 §4).

    Raises MisconfiguredError for a domain or selector that can't stand in the DNS.
    """
    name = f"{_selector('DKIM_SELECTOR', selector)}._domainkey.{_domain(domain)}"
    if isinstance(public, RSAPublicKey):
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return name, f"v=DKIM1; k=rsa; p={in_base64(public.public_bytes(serialization.Encoding.DER, form))}"
    return name, f"v=DKIM1; k=ed25519; p={in_base64(public.public_bytes_raw())}"


def zone_line(name: str, value: str) -> str:
    """Write a TXT record as a zone file has it: in strings of at most 255 octets, which the DNS puts together."""
    strings = (value[first : first + _LONGEST_DNS_STRING] for first in range(0, len(value), _LONGEST_DNS_STRING))
    quoted = " ".join(f'"{string}"' for string in strings)
    return f"{name}. IN TXT ( {quoted} )"


def in_base64(octets: bytes) -> str:
    """Give octets as base64, as signatures and records have them."""
    return base64.b64encode(octets).decode()


def _domain(name: str) -> str:
    try:
        ascii_name = idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        ascii_name = ""
    if not _NAME.fullmatch(ascii_name) or "." not in ascii_name:
        raise MisconfiguredError("NEWSLETTER_DKIM_DOMAIN must be a domain name such as example.com.")
    return ascii_name


def _selector(setting: str, selector: str) -> str:
    if not _NAME.fullmatch(selector):
        raise MisconfiguredError(f"NEWSLETTER_{setting} must be a name of letters, digits and hyphens, such as s1.")
    return selector


def _read_rsa(pem: str) -> RSAPrivateKey:
    key = _read_key("DKIM_KEY", pem)
    if not isinstance(key, RSAPrivateKey) or key.key_size < RSA_BITS:
        raise MisconfiguredError(
            f"NEWSLETTER_DKIM_KEY must be an RSA key of at least {RSA_BITS} bits; `newsletter dkim new` makes one."
        )
    return key


def _read_ed25519(pem: str) -> Ed25519PrivateKey:
    key = _read_key("DKIM_ED25519_KEY", pem)
    if not isinstance(key, Ed25519PrivateKey):
        raise MisconfiguredError(
            "NEWSLETTER_DKIM_ED25519_KEY must be an Ed25519 key; `newsletter dkim new --ed25519` makes one."
        )
    return key


def _read_key(setting: str, pem: str) -> object:
    try:
        return serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise MisconfiguredError(f"NEWSLETTER_{setting} must be a private key in PEM, not encrypted.") from None
