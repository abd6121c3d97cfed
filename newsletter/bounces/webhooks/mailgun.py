"""Mailgun's webhooks: one event in a message. Pure.

Mailgun signs the time and a random token with HMAC-SHA256, and not the event; so a token counts once, and nobody can
put it before an event of their own. `user-variables` holds what our header X-Mailgun-Variables said.
"""

import hmac
import re
from typing import Any

from newsletter.bounces.reading import arf
from newsletter.bounces.reading.verdicts import Reading
from newsletter.bounces.webhooks.events import (
    SUPPRESSED,
    UNSUBSCRIBED,
    Event,
    Heard,
    Message,
    NotProven,
    delayed,
    is_about_now,
    judged,
    read_object,
    text_at,
)
from newsletter.errors import MisconfiguredError
from newsletter.tokens import equal

WINDOW = 300
_TOKEN = re.compile(r"[!-~]{16,200}")
# Why Mailgun gave up where the other server may have said that the mailbox does not exist.
_OF_ADDRESS = frozenset({"", "bounce", "generic", "hardfail"})


class Mailgun:
    """Mailgun, with the signing key of its webhooks. Raises MisconfiguredError."""

    largest = 256 * 1024

    def __init__(self, key: str) -> None:
        if not re.fullmatch(r"[!-~]+", key):
            raise MisconfiguredError("NEWSLETTER_WEBHOOK_MAILGUN must be the signing key that Mailgun shows.")
        self._key = key.encode()

    async def hear(self, message: Message) -> Heard:
        """Give what a message tells. Raises NotProven or UnreadableMessage."""
        body = read_object(message.body)
        timestamp, token = text_at(body, "signature", "timestamp"), text_at(body, "signature", "token")
        right = hmac.digest(self._key, f"{timestamp}{token}".encode(), "sha256").hex()
        if not equal(text_at(body, "signature", "signature"), right) or not _TOKEN.fullmatch(token):
            raise NotProven("The signature is missing, or not one of the key in NEWSLETTER_WEBHOOK_MAILGUN.")
        if not is_about_now(timestamp, message.now, WINDOW):
            raise NotProven("The message was signed more than five minutes ago; or a clock is wrong.")
        told = body.get("event-data")
        reading = _reading(told) if isinstance(told, dict) else None
        if reading is None:
            return Heard(once=token)
        named = [text_at(told, "user-variables", "delivery"), text_at(told, "envelope", "sender")]
        return Heard([Event(named, reading, text_at(told, "recipient"))], token)


def _reading(told: dict[str, Any]) -> Reading | None:
    kind = text_at(told, "event")
    if kind == "complained":
        return arf.of_type("")
    if kind == "unsubscribed":
        return UNSUBSCRIBED
    if kind == "rejected":
        return judged(text_at(told, "reject", "reason"), final=False)
    return _of_failure(told) if kind == "failed" else None


def _of_failure(told: dict[str, Any]) -> Reading:
    reason, status = text_at(told, "reason"), text_at(told, "delivery-status", "enhanced-code")
    if reason.startswith("suppress-"):
        return SUPPRESSED
    code, said = text_at(told, "delivery-status", "code"), text_at(told, "delivery-status", "message")
    said = said or text_at(told, "delivery-status", "description")
    # Mailgun takes the code off some replies, and leaves it before others.
    said = said if said.startswith(code) else f"{code} {said}"
    if text_at(told, "severity") != "permanent":
        return delayed(said, status)
    return judged(said, status, final=reason in _OF_ADDRESS)
