"""The signed record proves itself: to an implementation that is not ours, and as docs/proof.md says."""

import asyncio
import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from newsletter.agreements.proof import export, record
from newsletter.chain.signing import jwk, public_keys
from newsletter.tokens import Keyring
from tests.agreements.proof.evidence import Evidence, gathered
from tests.signup.site import Site, open_site
from tests.support import ed25519

PROOF = Path(__file__).parents[3] / "docs" / "proof.md"
# RFC 8032, section 7.1, tests 2 and 3.
VECTORS = [
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@dataclass
class Exported:
    """A signed record, and the keys that the service publishes."""

    file: bytes
    keys: list[dict[str, str]]

    @property
    def content(self) -> dict[str, Any]:
        """Give what it says."""
        read = json.loads(self.file)
        assert isinstance(read, dict)
        return read


async def exported(evidence: Evidence) -> Exported:
    installation, event = evidence.installation, (await evidence.events())[0]
    async with installation.database.read() as session:
        kept = await record.record_of(session, installation, event.agreement_id)
        keys = [jwk(public) for public in (await public_keys(session, installation)).values()]
    return Exported(export.signed(installation, kept), keys)


@pytest.fixture
async def evidence(sqlite_installation: Any) -> Evidence:
    return await gathered(sqlite_installation, people=1)


def canonical(part: dict[str, Any]) -> bytes:
    return json.dumps(part, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def verifies(content: dict[str, Any], keys: list[dict[str, str]]) -> bool:
    """Verify a record in a way that shares no code with the program."""
    document = {name: value for name, value in content.items() if name != "proof"}
    proof = {name: value for name, value in content["proof"].items() if name != "proofValue"}
    number = 0
    for letter in content["proof"]["proofValue"][1:]:
        number = number * 58 + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(letter)
    signed = hashlib.sha256(canonical(proof)).digest() + hashlib.sha256(canonical(document)).digest()
    public = base64.urlsafe_b64decode(keys[0]["x"] + "=")
    return ed25519.verify(public, signed, number.to_bytes(64, "big"))


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_independent_verifier_knows_right_from_wrong(public: str, message: str, signature: str) -> None:
    key, said, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert ed25519.verify(key, said, signed)
    assert not ed25519.verify(key, said + b"!", signed)


async def test_a_record_verifies_and_a_changed_one_does_not(evidence: Evidence) -> None:
    made = await exported(evidence)
    assert verifies(made.content, made.keys)
    changed = made.content
    changed["events"][0]["event_time"] = "2020-01-01T00:00:00+00:00"
    assert not verifies(changed, made.keys)


async def test_a_record_says_what_was_agreed(evidence: Evidence) -> None:
    content = (await exported(evidence)).content
    words = [content["notice"][name] for name in ("language", "control_label", "text")]
    named = hashlib.sha256(json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
    assert content["notice"]["id"] == f"urn:sha256:{named}"
    assert [event["event_type"] for event in content["events"]] == ["requested", "given"]
    assert all(event["as_written"] and event["chain_number"] for event in content["events"])
    assert content["processing"][0]["lawful_basis"] == "eu-gdpr:A6-1-b"
    optional = {data["field"]: data["optional"] for data in content["processing"][0]["pii_information"]}
    assert optional["subscriber.given_name"]
    assert not optional["subscriber.email"]
    assert content["party_identification"][0]["party_name"] == "Example Books AS"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
async def test_the_documented_way_works(evidence: Evidence, tmp_path: Path) -> None:
    made = await exported(evidence)
    (script,) = re.findall(r"```sh\n(.*?)```", PROOF.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "newsletter-keys.json").write_text(json.dumps({"keys": made.keys}), encoding="utf-8")
    for content, exit_code in ((made.file, 0), (made.file.replace(b"requested", b"refused"), 1)):
        (tmp_path / "record.jsonld").write_bytes(content)
        ran = await asyncio.to_thread(_run, script, tmp_path)
        assert ran.returncode == exit_code, ran.stdout + ran.stderr


def _run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False)


async def test_the_keys_of_all_epochs_are_published(sqlite_installation: Any) -> None:
    evidence = await gathered(sqlite_installation, people=1)
    rotated = evidence.run_by(keys=Keyring(b"the root secret after the rotation", evidence.installation.keys.root))
    await rotated.subscribe()
    before = (await exported(evidence)).keys[0]
    after = evidence.run_by(keys=Keyring(b"the root secret after the rotation"))
    async with open_site(after.installation, there_already=True) as site:
        published = await _published(site)
    assert len(published) == 2
    assert published[1]["kid"] == before["kid"]


async def _published(site: Site) -> list[dict[str, str]]:
    answer = await site.http.get("/.well-known/newsletter-keys.json")
    assert answer.status_code == httpx.codes.OK
    keys = answer.json()["keys"]
    assert isinstance(keys, list)
    return keys
