"""Unsubscribing by mail: the address `unsubscribe+TOKEN@BOUNCE_DOMAIN` of the List-Unsubscribe header (RULES E1, E4).

It is the address that acts, never From: whoever holds it may leave. Mail that a machine sent by itself is ignored.
"""

import re
from email.message import Message
from email.utils import getaddresses

from newsletter.tokens import InvalidToken, Keyring, decode_id, encode_id

_PURPOSE = "unsubscribe"
_PREFIX = "unsubscribe+"
_RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
_NULL_SENDER = re.compile(r"\s*<\s*>\s*")


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


def read_mail(keys: Keyring, message: Message, domain: str) -> str | None:
    """Give the subscription that a received mail ends; None where it ends none.

    A bounce (null sender) or an automatic answer (RFC 3834) ends none.
    """
    if _is_automatic(message):
        return None
    headers = [str(value) for name in _RECIPIENT_HEADERS for value in message.get_all(name, [])]
    for _, address in getaddresses(headers):
        if (subscription_id := read_mailbox(keys, address, domain)) is not None:
            return subscription_id
    return None


def _is_automatic(message: Message) -> bool:
    submitted = str(message.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    return submitted != "no" or bool(_NULL_SENDER.fullmatch(str(message.get("Return-Path", ""))))
