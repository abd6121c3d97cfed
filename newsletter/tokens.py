"""The only source of randomness, and the only place where keys and tokens are made and read.

Ids. Every id that a token, a mail or an external record can name is 128 random bits (RULES C1): sequences
hand old numbers to new people after a deletion or a restore, random ids never do.

Keys. One root secret; each purpose has its own key, derived from it by HKDF-SHA256 (DESIGN §7). A `Keyring`
holds the current root secret and the previous one, so that a rotation does not break the links already mailed.

Tokens. A token is `key id (1 byte) + payload + MAC (16 bytes)`, as URL-safe base64. The MAC covers the purpose, so
a token for one act is worthless for another. Tokens are stateless: an unsubscribe link works however often
it is used, and after the person is gone (RULES E2).
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ID_BYTES = 16
MAC_BYTES = 16
ADDRESS_MAC_BYTES = 10  # 80 bits: a local part has at most 64 octets (RULES F5)
MINIMUM_SECRET_BYTES = 32
_NONCE_BYTES = 12

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _BASE32 for second in _BASE32]
# The digits of base 32 as Python's `int` reads them.
_AS_DIGITS = bytes.maketrans(_BASE32.encode(), b"0123456789abcdefghijklmnopqrstuv")
# 128 bits leave the last two of 26 characters at zero.
_ID = re.compile(rf"[{_BASE32}]{{25}}[aeimquy4]")


class InvalidToken(Exception):
    """The token is not one of ours, or it was made for something else."""


def new_id() -> str:
    """Give a fresh random id: 128 bits as 26 lower-case base32 characters, never used before or again."""
    return encode_id(secrets.token_bytes(ID_BYTES))


def new_nonce() -> bytes:
    """Give 128 random bits that are to be stored nowhere beside a person (DESIGN §6)."""
    return secrets.token_bytes(ID_BYTES)


def new_salt() -> bytes:
    """Give 256 random bits from which the keys of an epoch are derived, and which go when the epoch does."""
    return secrets.token_bytes(32)


def keyed(key: bytes, data: bytes) -> bytes:
    """Give the 32-byte HMAC-SHA256 of `data` under `key`."""
    return hmac.digest(key, data, "sha256")


def new_secret() -> str:
    """Give a fresh secret of 256 bits, URL-safe: a root secret, an API key, a password."""
    return secrets.token_urlsafe(32)


def jitter(low: float, high: float) -> float:
    """Give a random number between `low` and `high`, to keep retries from marching in step."""
    return secrets.SystemRandom().uniform(low, high)


def encode_id(raw: bytes) -> str:
    """Write 16 bytes as 26 lower-case base32 characters, without padding."""
    return _to_base32(raw)


def decode_id(text: str) -> bytes:
    """Read an id back into its 16 bytes. Raises InvalidToken where it is not an id."""
    if not _ID.fullmatch(text):
        raise InvalidToken
    return (int(text.encode().translate(_AS_DIGITS), 32) >> 2).to_bytes(ID_BYTES, "big")


def _to_base32(raw: bytes) -> str:
    # Two characters at a time: half the time of the standard library, which has no such function in C.
    bits = len(raw) * 8
    pairs = -(-bits // 10)
    number = int.from_bytes(raw, "big") << pairs * 10 - bits
    return "".join([_PAIRS[number >> shift & 0x3FF] for shift in range(pairs * 10 - 10, -1, -10)])[: -(-bits // 5)]


def fingerprint(text: str) -> str:
    """Give the SHA-256 of a high-entropy secret in hex, which may be stored where the secret may not (RULES H5)."""
    return hashlib.sha256(text.encode()).hexdigest()


def equal(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


@lru_cache(maxsize=4096)
def _derive(root: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"newsletter/" + purpose.encode()).derive(root)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The root secret, and the one before it while links signed with that are still in mailboxes."""

    root: bytes = field(repr=False)
    previous: bytes | None = field(default=None, repr=False)

    def _roots(self) -> Iterator[bytes]:
        yield self.root
        if self.previous is not None:
            yield self.previous

    def tag(self, purpose: str, data: bytes) -> bytes:
        """Give the 32-byte HMAC-SHA256 of `data` under the key of `purpose`."""
        return hmac.digest(_derive(self.root, purpose), data, "sha256")

    def seal(self, purpose: str, content: str) -> str:
        """Give the seal of `content`, 128 bits in hex: whoever has the database alone can't make it."""
        return self.tag(purpose, content.encode()).hex()[: 2 * MAC_BYTES]

    def is_sealed(self, purpose: str, content: str, seal: str) -> bool:
        """Say whether `seal` is that of `content`, under the root secret or the one before it."""
        for root in self._roots():
            right = hmac.digest(_derive(root, purpose), content.encode(), "sha256").hex()[: 2 * MAC_BYTES]
            if equal(seal, right):
                return True
        return False

    def lock(self, purpose: str, content: str) -> str:
        """Give `content` in a form that whoever has the database alone can't read (AES-256-GCM)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _to_text(nonce + AESGCM(_derive(self.root, purpose)).encrypt(nonce, content.encode(), None))

    def unlock(self, purpose: str, locked: str) -> str:
        """Give back what was locked, under the root secret or the one before it. Raises InvalidToken."""
        raw = _from_text(locked)
        for root in self._roots():
            with suppress(InvalidTag):
                nonce, sealed = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
                return AESGCM(_derive(root, purpose)).decrypt(nonce, sealed, None).decode()
        raise InvalidToken

    def signing_keys(self, purpose: str) -> list[Ed25519PrivateKey]:
        """Give the Ed25519 keys of `purpose`: that of the root secret, then that of the one before it."""
        return [Ed25519PrivateKey.from_private_bytes(_derive(root, f"ed25519/{purpose}")) for root in self._roots()]

    def epoch_keys(self, purpose: str, salt: bytes) -> list[bytes]:
        """Give the keys of an epoch, from its salt: the one to tag with, then that of the previous root secret.

        They are derived anew each time: once the salt is destroyed no memory is to hold them (RULES C5).
        """
        info = b"newsletter/" + purpose.encode()
        return [HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(root) for root in self._roots()]

    def sign(self, purpose: str, payload: bytes) -> str:
        """Give a token that carries `payload` readably and proves that we made it for `purpose`."""
        signed = self._key_id(self.root) + payload
        return _to_text(signed + self._mac(self.root, purpose, signed))

    def read(self, purpose: str, token: str) -> bytes:
        """Give back the payload of a token. Raises InvalidToken where it is forged or for another purpose."""
        raw = _from_text(token)
        signed, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        for root in self._roots():
            if signed[:1] == self._key_id(root) and hmac.compare_digest(mac, self._mac(root, purpose, signed)):
                return signed[1:]
        raise InvalidToken

    def sign_for_address(self, purpose: str, payload: bytes) -> str:
        """Give a token for the local part of a mail address: lower-case base32, for mail servers may fold the case."""
        signed = self._key_id(self.root) + payload
        mac = self._mac(self.root, f"address/{purpose}", signed)[:ADDRESS_MAC_BYTES]
        return _to_base32(signed + mac)

    def read_from_address(self, purpose: str, token: str) -> bytes:
        """Give back the payload of a token from a mail address, in whatever case. Raises InvalidToken."""
        try:
            raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        except (binascii.Error, ValueError) as error:
            raise InvalidToken from error
        signed, mac = raw[:-ADDRESS_MAC_BYTES], raw[-ADDRESS_MAC_BYTES:]
        for root in self._roots():
            right = self._mac(root, f"address/{purpose}", signed)[:ADDRESS_MAC_BYTES]
            if signed[:1] == self._key_id(root) and hmac.compare_digest(mac, right):
                return signed[1:]
        raise InvalidToken

    @staticmethod
    def _key_id(root: bytes) -> bytes:
        return _derive(root, "key-id")[:1]

    @staticmethod
    def _mac(root: bytes, purpose: str, signed: bytes) -> bytes:
        return hmac.digest(_derive(root, purpose), signed, "sha256")[:MAC_BYTES]


class AddressSigner:
    """Signs many tokens for mail addresses that begin alike, as `Keyring.sign_for_address` does, at half the cost."""

    def __init__(self, keys: Keyring, purpose: str, beginning: bytes) -> None:
        self._key = _derive(keys.root, f"address/{purpose}")
        self._head = _derive(keys.root, "key-id")[:1] + beginning
        # Five bytes are eight characters: what stands before the last whole five of the beginning is written once.
        whole = len(self._head) // 5 * 5
        self._text, self._rest = _to_base32(self._head[:whole]), self._head[whole:]

    def sign(self, ending: bytes) -> str:
        """Give the token of the beginning with this ending."""
        mac = hmac.digest(self._key, self._head + ending, "sha256")[:ADDRESS_MAC_BYTES]
        return self._text + _to_base32(self._rest + ending + mac)


def payload(token: str) -> bytes:
    """Give what a token carries, unproven: only for finding out under which purpose it is to be read."""
    return _from_text(token)[1:-MAC_BYTES]


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _from_text(token: str) -> bytes:
    if len(token) > 512 or not token.isascii():
        raise InvalidToken
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidToken from error
    if len(raw) <= MAC_BYTES + 1 or _to_text(raw) != token:
        raise InvalidToken
    return raw
