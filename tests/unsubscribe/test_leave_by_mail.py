"""Leaving by a mail to the address in List-Unsubscribe (RULES E1, E4)."""

import pytest

from newsletter.tokens import Keyring, new_id
from newsletter.unsubscribe.mailto import read_mailbox, unsubscribe_mailbox

DOMAIN = "bounces.example.com"
KEYS = Keyring(b"a root secret that only tests have")


def test_the_address_names_the_subscription() -> None:
    alice = new_id()
    assert read_mailbox(KEYS, unsubscribe_mailbox(KEYS, alice, DOMAIN), DOMAIN) == alice


def test_a_server_that_folds_the_case_does_no_harm() -> None:
    alice = new_id()
    assert read_mailbox(KEYS, unsubscribe_mailbox(KEYS, alice, DOMAIN).upper(), DOMAIN) == alice


def test_the_address_fits_into_a_local_part() -> None:
    local = unsubscribe_mailbox(KEYS, new_id(), DOMAIN).partition("@")[0]
    assert len(local) <= 64
    assert local == local.lower()


@pytest.mark.parametrize(
    "to", ["unsubscribe@bounces.example.com", "unsubscribe+abc@bounces.example.com", "æ@example.com"]
)
def test_an_address_that_is_not_signed_ends_nothing(to: str) -> None:
    assert read_mailbox(KEYS, to, DOMAIN) is None


def test_neither_a_forged_token_nor_another_domain_ends_anything() -> None:
    address = unsubscribe_mailbox(KEYS, new_id(), DOMAIN)
    forged = address.replace("@", "a@") if not address.endswith("a@") else address
    assert read_mailbox(KEYS, forged, DOMAIN) is None
    assert read_mailbox(KEYS, address, "other.example.com") is None
    assert read_mailbox(Keyring(b"another root secret, not the same"), address, DOMAIN) is None


def test_a_rotated_secret_still_reads_the_addresses_of_the_last_one() -> None:
    alice = new_id()
    rotated = Keyring(b"the next root secret of the tests", KEYS.root)
    assert read_mailbox(rotated, unsubscribe_mailbox(KEYS, alice, DOMAIN), DOMAIN) == alice
