"""The keys of a domain: made, published, read from the settings, and replaced (RULES G6)."""

import re

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from newsletter.errors import MisconfiguredError
from newsletter.mail.dkim.keys import dns_record, new_key, private_pem, read_domain, zone_line
from newsletter.mail.dkim.signing import signatures
from tests.mail.dkim.signature_check import check

RSA = private_pem(new_key())
ED25519 = private_pem(new_key(ed25519=True))
WEAK = private_pem(generate_private_key(65537, 1024))  # noqa: S505 (that is the point)
MAIL = b"From: news@example.org\r\nSubject: Hello\r\n\r\nHello.\r\n"


def test_without_a_domain_nothing_is_signed() -> None:
    assert read_domain("", selector="", key="") is None


def test_a_new_key_signs_what_its_record_verifies() -> None:
    domain = read_domain("example.org", selector="s1", key=RSA, ed25519_selector="e1", ed25519_key=ED25519)
    assert domain is not None
    assert [name for name, _ in domain.records()] == ["s1._domainkey.example.org", "e1._domainkey.example.org"]
    verdicts = check(signatures(domain, MAIL, 1_700_000_000) + MAIL, dict(domain.records()))
    assert [each.holds for each in verdicts] == [True, True]


def test_a_replaced_key_still_verifies_as_long_as_both_are_published() -> None:
    old, new = (read_domain("example.org", selector=each, key=private_pem(new_key())) for each in ("s1", "s2"))
    assert old is not None
    assert new is not None
    both = dict([*old.records(), *new.records()])
    for domain in (old, new):
        (verdict,) = check(signatures(domain, MAIL, 1_700_000_000) + MAIL, both)
        assert verdict.holds


def test_the_record_of_an_ed25519_key_is_the_standard_s_own() -> None:
    """RFC 8463, appendix A.2."""
    octets = Ed25519PublicKey.from_public_bytes(
        bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    )
    assert dns_record("football.example.com", "brisbane", octets) == (
        "brisbane._domainkey.football.example.com",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    )


def test_a_zone_file_takes_a_long_record_in_short_strings() -> None:
    name, value = dns_record("example.org", "s1", new_key().public_key())
    strings = re.findall(r'"([^"]*)"', zone_line(name, value))
    assert len(value) > 255
    assert max(map(len, strings)) <= 255
    assert "".join(strings) == value
    assert zone_line(name, value).startswith("s1._domainkey.example.org. IN TXT ( ")


def test_a_domain_in_any_script_is_published_in_ascii() -> None:
    name, _ = dns_record("Blåbær.example", "s1", new_key(ed25519=True).public_key())
    assert name == "s1._domainkey.xn--blbr-roah.example"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"name": ""}, "DKIM_DOMAIN"),
        ({"name": "example"}, "DKIM_DOMAIN"),
        ({"name": "example.org; t=y"}, "DKIM_DOMAIN"),
        ({"selector": ""}, "DKIM_SELECTOR"),
        ({"selector": "s 1"}, "DKIM_SELECTOR"),
        ({"key": ""}, "DKIM_KEY"),
        ({"key": "not a key"}, "DKIM_KEY"),
        ({"key": WEAK}, "DKIM_KEY"),
        ({"key": ED25519}, "DKIM_KEY"),
        ({"ed25519_key": ED25519}, "DKIM_ED25519_SELECTOR"),
        ({"ed25519_selector": "e1"}, "DKIM_ED25519_KEY"),
        ({"ed25519_selector": "e1", "ed25519_key": RSA}, "DKIM_ED25519_KEY"),
        ({"ed25519_selector": "S1", "ed25519_key": ED25519}, "DKIM_ED25519_SELECTOR"),
        ({"key": "", "selector": "", "ed25519_selector": "e1", "ed25519_key": ED25519}, "DKIM_KEY"),
    ],
)
def test_what_can_t_sign_stops_the_program_with_a_sentence_that_names_the_setting(
    given: dict[str, str], named: str
) -> None:
    whole = {"name": "example.org", "selector": "s1", "key": RSA} | given
    with pytest.raises(MisconfiguredError) as refused:
        read_domain(**whole)
    assert f"NEWSLETTER_{named}" in refused.value.sentence
    assert "PRIVATE KEY-----" not in refused.value.sentence


def test_an_encrypted_key_is_refused() -> None:
    locked = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a password"),
    )
    with pytest.raises(MisconfiguredError, match="not encrypted"):
        read_domain("example.org", selector="s1", key=locked.decode())
