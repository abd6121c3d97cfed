"""The Ed25519 keys that heads and exported records are signed with, and why an old one is trusted.

The key is derived from the root secret, so every process has it and no file holds it. When the root secret is rotated,
the new key is introduced by a statement that it signs itself, and that the key before it signs too. So whoever trusts
the newest key can walk back to the oldest: each names the one before by the hash of its public key.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import select

from newsletter.chain.heads_file import parsed
from newsletter.chain.rules import canonical
from newsletter.chain.tables import SigningKey
from newsletter.database import Session, insert
from newsletter.installation import Installation
from newsletter.tokens import Keyring

_PURPOSE = "agreements"
_ED25519_MULTICODEC = b"\xed\x01"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PublicKeys = Mapping[str, bytes]


def own_keys(keys: Keyring) -> list[Ed25519PrivateKey]:
    """Give our private keys, the current one first."""
    return keys.signing_keys(_PURPOSE)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """Give the 32 bytes of its public key."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(public: bytes) -> str:
    """Give the name of a public key: its JWK thumbprint (RFC 7638)."""
    members = canonical({"crv": "Ed25519", "kty": "OKP", "x": base64url(public)})
    return base64url(hashlib.sha256(members.encode()).digest())


def jwk(public: bytes) -> dict[str, str]:
    """Give a public key as a JSON Web Key (RFC 8037)."""
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key_id(public), "x": base64url(public)}


def sign(key: Ed25519PrivateKey, content: Mapping[str, Any]) -> str:
    """Give the signature over the canonical JSON of `content`."""
    return base64url(key.sign(canonical(content).encode()))


def is_signed(public: bytes | None, content: Mapping[str, Any], signature: str) -> bool:
    """Say whether that key signed `content`."""
    if public is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(from_base64url(signature), canonical(content).encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def statement(keys: Keyring, at: str, before: str | None = None) -> dict[str, Any]:
    """Give the introduction of our current key, signed by it, and by the key before it where there is one."""
    current, *previous = own_keys(keys)
    public = public_bytes(current)
    earlier = key_id(public_bytes(previous[0])) if previous else before
    said = {"key": key_id(public), "public": base64url(public), "introduced": at, "previous": earlier}
    endorsement = sign(previous[0], said) if previous else None
    return said | {"endorsement": endorsement, "signature": sign(current, said)}


def trusted(keys: Keyring, statements: Iterable[Any]) -> dict[str, bytes]:
    """Give the public keys that our own vouch for, by their names, the current one first."""
    found = {key_id(public_bytes(key)): public_bytes(key) for key in own_keys(keys)}
    by_key = {said.get("key"): said for said in statements if _is_readable(said)}
    waiting = list(found)
    while waiting:
        said = by_key.get(waiting.pop())
        if said is None:
            continue
        earlier = by_key.get(said.get("previous"))
        public = found[str(said["key"])]
        if earlier is None or not _is_introduction(said, public):
            continue
        older = from_base64url(str(earlier.get("public", "")))
        if key_id(older) == said["previous"] and key_id(older) not in found and _is_endorsed(said, older):
            found[key_id(older)] = older
            waiting.append(key_id(older))
    return found


def _is_readable(said: Any) -> bool:
    return isinstance(said, Mapping) and all(isinstance(said.get(name), str | None) for name in ("key", "previous"))


def _said(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said.get(name) for name in ("key", "public", "introduced", "previous")}


def _is_introduction(said: Mapping[str, Any], public: bytes) -> bool:
    return is_signed(public, _said(said), str(said.get("signature")))


def _is_endorsed(said: Mapping[str, Any], older: bytes) -> bool:
    return is_signed(older, _said(said), str(said.get("endorsement")))


async def introduce(session: Session, installation: Installation) -> None:
    """Write down the introduction of our keys, where it is not there yet."""
    at = installation.clock.now()
    there = set(await known(session))
    rings = [Keyring(installation.keys.previous)] if installation.keys.previous is not None else []
    for ring in (*rings, installation.keys):
        said = statement(ring, at.isoformat())
        if said["key"] not in there:
            await _write_down(session, said, at)


async def put_back(session: Session, installation: Installation, introductions: Iterable[Any]) -> None:
    """Write down anew the introductions that the database lost, where our own keys vouch for them."""
    said = [one for one in introductions if isinstance(one, Mapping)]
    ours = trusted(installation.keys, [*await statements(session), *said])
    for one in said:
        if one.get("key") in ours:
            await _write_down(session, one, datetime.fromisoformat(str(one["introduced"])))


async def _write_down(session: Session, said: Mapping[str, Any], at: datetime) -> None:
    values = {"id": said["key"], "statement": canonical(said), "introduced_at": at}
    await session.execute(insert(session, SigningKey).values(values).on_conflict_do_nothing())


async def known(session: Session) -> Sequence[str]:
    """Give the names of the keys whose introduction is written down."""
    return (await session.exec(select(SigningKey.id))).all()


async def statements(session: Session) -> list[dict[str, Any]]:
    """Give the introductions that are written down, the oldest first."""
    query = select(SigningKey.statement).order_by(SigningKey.introduced_at, SigningKey.id)  # type: ignore[arg-type]  # SQLModel types columns as their values
    return [parsed(text.encode()) for text in (await session.exec(query)).all()]


async def public_keys(session: Session, installation: Installation) -> dict[str, bytes]:
    """Give every public key that is, or was, ours, by its name, the current one first."""
    return trusted(installation.keys, await statements(session))


def did_key(public: bytes) -> str:
    """Give a public key as a did:key, from which anybody can read it back."""
    return f"did:key:{multibase(_ED25519_MULTICODEC + public)}"


def multibase(raw: bytes) -> str:
    """Write bytes in base 58 with the letter `z` before, as Data Integrity proofs do."""
    number, written = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        written = _BASE58[digit] + written
    return "z" + _BASE58[0] * (len(raw) - len(raw.lstrip(b"\0"))) + written


def base64url(raw: bytes) -> str:
    """Write bytes as URL-safe base64, without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Read them back; nothing for what is no base64."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
