"""Postmark's webhooks: bounces, spam complaints and changes of subscription, one in a message. Pure.

They are not signed; a user and a password in the webhook's address prove them. `Details` is the reply that Postmark
got, and `Metadata` holds what our header X-PM-Metadata-delivery said.
"""

import base64
from typing import Any

from newsletter.bounces.reading import arf, automatic
from newsletter.bounces.reading.verdicts import Reading, Verdict
from newsletter.bounces.webhooks.events import (
    SUPPRESSED,
    UNSUBSCRIBED,
    Event,
    Heard,
    Message,
    NotProven,
    delayed,
    judged,
    read_object,
    text_at,
)
from newsletter.errors import MisconfiguredError
from newsletter.tokens import equal

# Postmark's types that say what happened better than the reply does.
_TYPES = {
    "AutoResponder": automatic.AUTOMATIC,
    "ChallengeVerification": automatic.AUTOMATIC,
    "Unsubscribe": UNSUBSCRIBED,
    "SpamComplaint": arf.of_type(""),
    "SpamNotification": Reading(Verdict.POLICY, "They took it for spam."),
    "ManuallyDeactivated": SUPPRESSED,
    "VirusNotification": Reading(Verdict.CONTENT, "They do not accept what the mail holds."),
}
_NO_FAILURES = frozenset({"Subscribe", "OpenRelayTest"})


class WrongPassword(NotProven):
    """The user or the password is missing, or not the one of the setting."""

    status = 401
    title = "Please sign in"


class Postmark:
    """Postmark, with the user and password that it was given. Raises MisconfiguredError."""

    largest = 256 * 1024

    def __init__(self, credentials: str) -> None:
        user, _, password = credentials.partition(":")
        if not user or not password or not credentials.isprintable():
            raise MisconfiguredError("NEWSLETTER_WEBHOOK_POSTMARK must look like user:password.")
        self._expected = base64.b64encode(credentials.encode()).decode()

    async def hear(self, message: Message) -> Heard:
        """Give what a message tells. Raises NotProven or UnreadableMessage."""
        kind, _, given = message.headers.get("authorization", "").partition(" ")
        if not equal(given.strip(), self._expected) or kind.lower() != "basic":
            raise WrongPassword("Send the user and the password of NEWSLETTER_WEBHOOK_POSTMARK (basic authentication).")
        told = read_object(message.body)
        reading = _reading(told)
        if reading is None:
            return Heard()
        recipient = text_at(told, "Email") or text_at(told, "Recipient")
        return Heard([Event([text_at(told, "Metadata", "delivery")], reading, recipient)])


def _reading(told: dict[str, Any]) -> Reading | None:
    record = text_at(told, "RecordType")
    if record == "SpamComplaint":
        return arf.of_type("")
    if record == "SubscriptionChange":
        return _of_change(told)
    return _of_bounce(told) if record == "Bounce" else None


def _of_change(told: dict[str, Any]) -> Reading | None:
    """Of the reasons to mail somebody no more, one has no message of its own: the reader's wish."""
    wished = text_at(told, "SuppressionReason") == "ManualSuppression" and text_at(told, "Origin") == "Recipient"
    if told.get("SuppressSending") is not True:
        return None
    if text_at(told, "SuppressionReason") == "SpamComplaint":
        return arf.of_type("")
    return UNSUBSCRIBED if wished else None


def _of_bounce(told: dict[str, Any]) -> Reading | None:
    kind, said = text_at(told, "Type"), text_at(told, "Details")
    if kind in _NO_FAILURES:
        return None
    if kind == "Transient":
        return delayed(said)
    return _TYPES.get(kind) or judged(said, final=kind == "HardBounce")
