"""Unsubscribing by mail: the address `unsubscribe+TOKEN@BOUNCE_DOMAIN` of the List-Unsubscribe header (RULES E1, E4).

It is the address that acts, never From: whoever holds it may leave.
"""

from newsletter.tokens import InvalidToken, Keyring, decode_id, encode_id

_PURPOSE = "unsubscribe"
_PREFIX = "unsubscribe+"


def unsubscribe_mailbox(keys: Keyring, subscription_id: str, domain: str) -> str:
    """Give the address to which a mail ends that subscription."""
    return f"{_PREFIX}{keys.sign_for_address(_PURPOSE, decode_id(subscription_id))}@{domain}"


def read_mailbox(keys: Keyring, address: str, domain: str) -> str | None:
    """Give the subscription that a mail to this address ends; None where it is no such address, or not made by us."""
    local, _, host = address.strip().strip("<>").rpartition("@")
    if not domain or host.lower().rstrip(".") != domain.lower() or not local.lower().startswith(_PREFIX):
        return None
    try:
        return encode_id(keys.read_from_address(_PURPOSE, local[len(_PREFIX) :]))
    except InvalidToken:
        return None
