"""Bounces and complaints that a sending service reports as JSON within a mail (Amazon SES by SNS). Pure."""

import json
import re
from typing import Any

from newsletter.bounces.reading.codes import status_of
from newsletter.bounces.reading.dsn import of_subscriber
from newsletter.bounces.reading.judging import judge
from newsletter.bounces.reading.verdicts import Reading, Verdict, worst

_BEGIN = re.compile(r'\{\s*"(?:notificationType|eventType|Type|Message|bounce|complaint|mail)"')
_MOST = 100_000
_MOST_RECIPIENTS = 20
_COMPLAINT = Reading(Verdict.COMPLAINT, "The reader reports the mail as spam.")
_DELIVERED = Reading(Verdict.NOT_A_BOUNCE, "The mail was delivered.")


def notice(text: str, subscriber: str | None = None) -> Reading | None:
    """Give what a notice says of its worst recipient, of the subscriber where they are known; None where the text holds
    none.
    """
    found = _BEGIN.search(text[:_MOST])
    if found is None:
        return None
    try:
        said, _ = json.JSONDecoder(strict=False).raw_decode(text[:_MOST], found.start())
        if isinstance(said.get("Message"), str):
            said = json.loads(said["Message"], strict=False)
    except (ValueError, RecursionError):
        return None
    return _reading(said, subscriber) if isinstance(said, dict) else None


def _reading(said: dict[str, Any], subscriber: str | None) -> Reading | None:
    kind = str(said.get("notificationType") or said.get("eventType") or "").lower()
    if kind == "complaint":
        return _COMPLAINT
    if kind == "delivery":
        return _DELIVERED
    bounce = said.get("bounce")
    if kind != "bounce" or not isinstance(bounce, dict):
        return None
    recipients = bounce.get("bouncedRecipients")
    listed = recipients[:_MOST_RECIPIENTS] if isinstance(recipients, list) else []
    readings = [_of_recipient(one, subscriber) for one in listed if isinstance(one, dict)]
    if readings:
        return worst(readings)
    transient = str(bounce.get("bounceType")).lower() == "transient"
    return Reading(Verdict.TRANSIENT if transient else Verdict.UNKNOWN, "The service gives no reason.")


def _of_recipient(recipient: dict[str, Any], subscriber: str | None) -> Reading:
    diagnostic = re.sub(r"^\s*[\w-]{1,20};\s*", "", str(recipient.get("diagnosticCode") or ""))
    found = judge(diagnostic, status_of(str(recipient.get("status") or "")))
    return of_subscriber(found, [str(recipient["emailAddress"])] if recipient.get("emailAddress") else [], subscriber)
