"""SendGrid's signed event webhook: a batch of events in a message. Pure.

SendGrid signs the time and the body as it is, with ECDSA on P-256. An event carries the arguments of our header
X-SMTPAPI beside its own fields.
"""

import base64
import binascii
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.bounces.reading import arf
from newsletter.bounces.reading.verdicts import Reading
from newsletter.bounces.webhooks.events import (
    SUPPRESSED,
    UNSUBSCRIBED,
    Event,
    Heard,
    Message,
    NotProven,
    UnreadableMessage,
    delayed,
    is_about_now,
    judged,
    read_json,
    text_at,
)
from newsletter.errors import MisconfiguredError

_WINDOW = 300
_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
# How SendGrid itself classes what may be a missing mailbox; a bounce of any other class is about something else.
_OF_ADDRESS = frozenset({"", "invalid address", "mailbox unavailable", "unclassified"})


class SendGrid:
    """SendGrid, with the verification key that its settings show. Raises MisconfiguredError."""

    largest = 1024 * 1024

    def __init__(self, key: str) -> None:
        self._key = _read_key(key)

    async def hear(self, message: Message) -> Heard:
        """Give what a message tells. Raises NotProven or UnreadableMessage."""
        timestamp = message.headers.get(_TIMESTAMP, "")
        try:
            signature = base64.b64decode(message.headers.get(_SIGNATURE, ""), validate=True)
            self._key.verify(signature, timestamp.encode() + message.body, ECDSA(SHA256()))
        except (InvalidSignature, binascii.Error, ValueError):
            raise NotProven("The signature is missing, or not one of the key in NEWSLETTER_WEBHOOK_SENDGRID.") from None
        if not is_about_now(timestamp, message.now, _WINDOW):
            raise NotProven("The message was signed more than five minutes ago; or a clock is wrong.")
        told = read_json(message.body)
        if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
            raise UnreadableMessage("The body must be a list of events.")
        return Heard([event for one in told if (event := _event(one)) is not None])


def _read_key(text: str) -> EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise MisconfiguredError(
            "NEWSLETTER_WEBHOOK_SENDGRID must be the verification key that SendGrid shows for its signed event webhook."
        )
    return key


def _event(told: dict[str, Any]) -> Event | None:
    reading = _reading(told)
    if reading is None:
        return None
    named = [text_at(told, "delivery"), text_at(told, "unique_args", "delivery")]
    return Event(named, reading, text_at(told, "email"))


def _reading(told: dict[str, Any]) -> Reading | None:
    kind = text_at(told, "event")
    if kind == "spamreport":
        return arf.of_type("")
    if kind in ("unsubscribe", "group_unsubscribe"):
        return UNSUBSCRIBED
    if kind == "dropped":
        return SUPPRESSED
    status = text_at(told, "status")
    if kind == "deferred":
        return delayed(text_at(told, "response"), status)
    if kind != "bounce":
        return None
    of_address = text_at(told, "bounce_classification").lower() in _OF_ADDRESS
    return judged(text_at(told, "reason"), status, final=of_address and text_at(told, "type") == "bounce")
