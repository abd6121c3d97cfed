"""What Amazon SES tells by SNS: bounces, complaints and delays, one mail in a message. Pure.

SES names the envelope's sender as `source`, and the tags of our header X-SES-MESSAGE-TAGS where a configuration set
publishes the events; both are our signed id. `bouncedRecipients` may name another address than the mail went to: that
of a report from farther on.
"""

from typing import Any

from newsletter.bounces.reading import arf
from newsletter.bounces.reading.verdicts import Reading, Verdict
from newsletter.bounces.webhooks.events import (
    SUPPRESSED,
    UNSUBSCRIBED,
    Event,
    Heard,
    Message,
    NotProven,
    UnreadableMessage,
    delayed,
    judged,
    objects_at,
    read_json,
    read_object,
    text_at,
)
from newsletter.bounces.webhooks.sns import CONFIRMATION, NOTIFICATION, Topics

_ON_A_LIST = frozenset({"Suppressed", "OnAccountSuppressionList", "UnsubscribedRecipient"})
# What SES says happened, where the reply says nothing.
_SUBTYPES = {
    "MailboxFull": Reading(Verdict.MAILBOX_FULL, "The mailbox is full."),
    "MessageTooLarge": Reading(Verdict.CONTENT, "The mail is too large for them."),
    "ContentRejected": Reading(Verdict.CONTENT, "They do not accept what the mail holds."),
    "AttachmentRejected": Reading(Verdict.CONTENT, "They do not accept what the mail holds."),
}
_SUCCESSES = frozenset({"delivered", "relayed", "expanded"})


class Ses:
    """Amazon SES, by the topics to which it may tell us."""

    largest = 256 * 1024

    def __init__(self, topics: Topics) -> None:
        self._topics = topics

    async def hear(self, message: Message) -> Heard:
        """Give what a message tells. Raises NotProven, UnreadableMessage, or Unreachable."""
        if message.headers.get("x-amz-sns-rawdelivery") == "true":
            raise NotProven("A raw message is not signed: turn raw message delivery off for this subscription.")
        sent = read_object(message.body)
        kind = await self._topics.prove(sent, message.now)
        if kind == CONFIRMATION:
            await self._topics.confirm(sent)
        return Heard(_events(text_at(sent, "Message")) if kind == NOTIFICATION else ())


def _events(text: str) -> list[Event]:
    try:
        told = read_json(text)
    except UnreadableMessage:
        # SES greets a new topic in words.
        return []
    kind = text_at(told, "eventType") or text_at(told, "notificationType")
    named = _named(told)
    if kind == "Bounce":
        return _bounces(told, named)
    if kind == "DeliveryDelay":
        return [
            Event(named, delayed(text_at(one, "diagnosticCode"), text_at(one, "status")), _address(one))
            for one in objects_at(told, "deliveryDelay", "delayedRecipients")
        ]
    reading = _of_the_mail(told, kind)
    return [Event([*named, *_unsubscribe_addresses(told)], reading)] if reading else []


def _named(told: Any) -> list[str]:
    """Give what may be our return address."""
    source, returns = (text_at(told, "mail", *path) for path in (("source",), ("commonHeaders", "returnPath")))
    return [text_at(told, "mail", "tags", "delivery"), _bare(source), _bare(returns)]


def _unsubscribe_addresses(told: Any) -> list[str]:
    """Give what may be our unsubscribe address: enough to let somebody go, and not to call their address dead."""
    headers = objects_at(told, "mail", "headers")
    values = [text_at(one, "value") for one in headers if text_at(one, "name").lower() == "list-unsubscribe"]
    targets = [target.strip(" <>") for value in values for target in value.split(",")]
    return [target[7:].partition("?")[0] for target in targets if target.lower().startswith("mailto:")]


def _bounces(told: Any, named: list[str]) -> list[Event]:
    kind, subtype = text_at(told, "bounce", "bounceType"), text_at(told, "bounce", "bounceSubType")
    recipients = objects_at(told, "bounce", "bouncedRecipients")
    readings = [(_address(one), _bounce(one, kind, subtype)) for one in recipients]
    return [Event(named, reading, address) for address, reading in readings if reading]


def _bounce(recipient: dict[str, Any], kind: str, subtype: str) -> Reading | None:
    said, status = text_at(recipient, "diagnosticCode"), text_at(recipient, "status")
    action = text_at(recipient, "action").lower()
    if action in _SUCCESSES:
        return None
    if subtype in _ON_A_LIST:
        return SUPPRESSED
    if action == "delayed":
        return delayed(said, status)
    found = judged(said, status, final=kind == "Permanent" and subtype not in _SUBTYPES)
    named = _SUBTYPES.get(subtype)
    if named and found.verdict is Verdict.UNKNOWN:
        return Reading(named.verdict, named.reason, found.code)
    return found


def _address(recipient: dict[str, Any]) -> str:
    given = text_at(recipient, "emailAddress")
    return _bare(given) or given


def _bare(address: str) -> str:
    """Give an address without the name before it. Some come from strangers' reports, so no parser is led by them."""
    return address.rpartition("<")[2].partition(">")[0].strip()


def _of_the_mail(told: Any, kind: str) -> Reading | None:
    """Give what is told of the mail as a whole."""
    if kind == "Complaint":
        if text_at(told, "complaint", "complaintSubType") in _ON_A_LIST:
            return SUPPRESSED
        reading = arf.of_type(text_at(told, "complaint", "complaintFeedbackType"))
        return None if reading.verdict is Verdict.NOT_A_BOUNCE else reading
    if kind == "Reject":
        return _SUBTYPES["ContentRejected"]
    preferences = told.get("subscription") if kind == "Subscription" else None
    preferences = preferences.get("newTopicPreferences") if isinstance(preferences, dict) else None
    leaves = isinstance(preferences, dict) and preferences.get("unsubscribeAll") is True
    return UNSUBSCRIBED if leaves else None
