"""What a service's words are worth: its codes and replies are judged as a report's, and "permanent" kills nobody."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.bounces.reading.verdicts import Verdict
from newsletter.bounces.webhooks.events import Event, Message, UnreadableMessage
from newsletter.bounces.webhooks.routes import services_of
from newsletter.clock import TurnedClock
from newsletter.settings import Settings
from tests.bounces.coming_back import CAROL
from tests.bounces.webhooks import told
from tests.bounces.webhooks.hooked import SERVICES, SETTINGS, SIGNING, Amazon
from tests.conftest import MORNING

TOLD = {"delivery": "b-told"}
FIELDS = (
    *("event", "eventType", "RecordType", "Type", "bounce", "bounceType", "bouncedRecipients", "complaint", "mail"),
    *("tags", "source", "headers", "name", "value", "delivery", "unique_args", "user-variables", "Metadata", "Details"),
    *("delivery-status", "code", "message", "severity", "reason", "status", "subscription", "newTopicPreferences"),
)
WORDS = (
    "Bounce",
    "bounce",
    "failed",
    "dropped",
    "Complaint",
    "Subscription",
    "HardBounce",
    "List-Unsubscribe",
    "5.1.1",
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=20,
)


async def heard(service: str, event: object) -> list[Event]:
    clock = TurnedClock(MORNING)
    services = services_of(Settings(bounce_domain="bounces.example.com", **SETTINGS), clock, Amazon())
    sent = SIGNING[service](event, MORNING)
    headers = {name.lower(): value for name, value in sent.headers.items()}
    return list((await services[service].hear(Message(sent.body, headers, MORNING))).events)


async def verdicts(service: str, event: object) -> list[str]:
    return [each.reading.verdict.value for each in await heard(service, event)]


def complaint(**fields: str) -> Mapping[str, Any]:
    return {"notificationType": "Complaint", "complaint": fields, "mail": {}}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.DEAD),
        ({"subtype": "NoEmail"}, Verdict.DEAD),
        ({"diagnostic": "", "subtype": "NoEmail"}, Verdict.DEAD),
        ({"diagnostic": "", "status": ""}, Verdict.UNKNOWN),
        ({"diagnostic": "smtp; 550 no such user", "status": "", "subtype": "NoEmail"}, Verdict.UNKNOWN),
        ({"diagnostic": "smtp; 550 5.7.1 blocked by policy", "status": "5.7.1"}, Verdict.POLICY),
        ({"diagnostic": "smtp; 550 5.1.1 mailbox full", "status": "5.1.1"}, Verdict.UNKNOWN),
        ({"diagnostic": "smtp; 550 5.2.1 account disabled", "status": "5.2.1"}, Verdict.DEAD_IF_REPEATED),
        ({"diagnostic": "smtp; 550 5.7.26 unauthenticated", "status": "5.7.26"}, Verdict.ALARM),
        ({"subtype": "Suppressed"}, Verdict.POLICY),
        ({"subtype": "OnAccountSuppressionList"}, Verdict.POLICY),
        ({"kind": "Transient"}, Verdict.UNKNOWN),
        ({"kind": "Undetermined", "subtype": "Undetermined"}, Verdict.UNKNOWN),
        ({"kind": "Transient", "subtype": "MailboxFull", "diagnostic": "", "status": ""}, Verdict.MAILBOX_FULL),
        ({"kind": "Permanent", "subtype": "MailboxFull"}, Verdict.MAILBOX_FULL),
        ({"kind": "Transient", "subtype": "MessageTooLarge", "diagnostic": "", "status": ""}, Verdict.CONTENT),
    ],
)
async def test_bounces_of_ses(changes: dict[str, Any], verdict: Verdict) -> None:
    assert await verdicts("ses", told.ses_bounce(CAROL, **changes)) == [verdict]


async def test_whatever_else_ses_tells() -> None:
    assert await verdicts("ses", complaint(complaintFeedbackType="abuse")) == ["complaint"]
    assert await verdicts("ses", complaint()) == ["complaint"]
    assert await verdicts("ses", complaint(complaintFeedbackType="not-spam")) == []
    assert await verdicts("ses", complaint(complaintSubType="OnAccountSuppressionList")) == ["policy"]
    late = {"delayType": "MailboxFull", "delayedRecipients": [{"emailAddress": CAROL, "status": "4.4.1"}]}
    assert await verdicts("ses", {"eventType": "DeliveryDelay", "deliveryDelay": late, "mail": {}}) == ["transient"]
    left = {"newTopicPreferences": {"unsubscribeAll": True}}
    assert await verdicts("ses", {"eventType": "Subscription", "subscription": left, "mail": {}}) == ["unsubscribe"]
    for kind in ("Delivery", "Send", "Open", "Click", "Rendering Failure", "Another"):
        assert await verdicts("ses", {"eventType": kind, "mail": {}}) == []
    for greeting in ("Successfully validated SNS topic for Amazon SES event publishing.", "[]", "{}", '{"mail": 1}'):
        assert await verdicts("ses", greeting) == []


@pytest.mark.parametrize(
    ("kind", "details", "verdict"),
    [
        ("HardBounce", f"smtp;{told.UNKNOWN}", "dead"),
        ("HardBounce", "smtp;550 5.2.2 mailbox full", "mailbox_full"),
        ("HardBounce", "unknown user", "unknown"),
        ("HardBounce", "", "unknown"),
        ("SoftBounce", f"smtp;{told.UNKNOWN}", "unknown"),
        ("BadEmailAddress", f"smtp;{told.UNKNOWN}", "unknown"),
        ("Blocked", "smtp;550 5.7.1 listed by example.org", "policy"),
        ("Transient", f"smtp;{told.UNKNOWN}", "transient"),
        ("SpamNotification", f"smtp;{told.UNKNOWN}", "policy"),
        ("ManuallyDeactivated", "", "policy"),
        ("AutoResponder", "", "automatic"),
        ("Unsubscribe", "", "unsubscribe"),
        ("SpamComplaint", "", "complaint"),
    ],
)
async def test_bounces_of_postmark(kind: str, details: str, verdict: str) -> None:
    event = told.postmark_bounce(CAROL, metadata=TOLD, kind=kind, details=details)
    assert await verdicts("postmark", event) == [verdict]


async def test_changes_of_subscription_at_postmark() -> None:
    """A hard bounce and a complaint have messages of their own; what we ourselves did is no news."""

    def change(reason: str, origin: str, *, suppress: bool = True) -> dict[str, Any]:
        told = {"RecordType": "SubscriptionChange", "SuppressionReason": reason, "Origin": origin, "Recipient": CAROL}
        return told | {"SuppressSending": suppress, "Metadata": TOLD}

    assert await verdicts("postmark", change("ManualSuppression", "Recipient")) == ["unsubscribe"]
    assert await verdicts("postmark", change("SpamComplaint", "Recipient")) == ["complaint"]
    ours = change("ManualSuppression", "Customer"), change("HardBounce", "Recipient")
    back = change("ManualSuppression", "Recipient", suppress=False)
    for event in (*ours, back, {"RecordType": "Delivery"}, {"RecordType": "Open"}, {}):
        assert await verdicts("postmark", event) == []


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "dead"),
        ({"type": "blocked"}, "unknown"),
        ({"bounce_classification": "Reputation"}, "unknown"),
        ({"reason": "550 5.1.1 mailbox full"}, "unknown"),
        ({"reason": "550 5.7.1 blocked", "status": "5.7.1"}, "policy"),
        ({"reason": "", "status": "5.0.0"}, "unknown"),
        ({"event": "dropped", "reason": "Bounced Address"}, "policy"),
        ({"event": "deferred", "response": "450 4.2.0 try later", "status": ""}, "transient"),
        ({"event": "group_unsubscribe"}, "unsubscribe"),
        ({"event": "unsubscribe"}, "unsubscribe"),
    ],
)
async def test_events_of_sendgrid(changes: dict[str, str], verdict: str) -> None:
    assert await verdicts("sendgrid", [told.sendgrid_bounce(CAROL, delivery="b-told", **changes)]) == [verdict]


async def test_what_arrived_or_was_opened_is_no_news() -> None:
    for kind in ("processed", "delivered", "open", "click", "group_resubscribe", "another"):
        assert await verdicts("sendgrid", {"event": kind, **TOLD}) == []
        assert await verdicts("mailgun", {"event": kind, "user-variables": TOLD}) == []


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "dead"),
        ({"message": "550 5.1.1 User unknown"}, "dead"),
        ({"severity": "temporary"}, "transient"),
        ({"reason": "suppress-bounce", "code": 605}, "policy"),
        ({"reason": "espblock"}, "unknown"),
        ({"reason": "old", "code": 602, "message": "Too old", "enhanced-code": ""}, "unknown"),
        ({"message": "5.2.2 The mailbox is full", "enhanced-code": "5.2.2"}, "mailbox_full"),
        ({"message": "5.7.1 blocked by policy", "enhanced-code": "5.7.1"}, "policy"),
        ({"message": "No such user", "enhanced-code": ""}, "unknown"),
    ],
)
async def test_failures_at_mailgun(changes: dict[str, Any], verdict: str) -> None:
    assert await verdicts("mailgun", told.mailgun_failed(CAROL, variables=TOLD, **changes)) == [verdict]


async def test_our_id_is_looked_for_wherever_a_service_keeps_it() -> None:
    tagged = told.ses_bounce(CAROL, source="Books <b-source@bounces.example.com>", tags={"delivery": ["b-tag"]})
    (event,) = await heard("ses", tagged)
    assert list(event.named)[:2] == ["b-tag", "b-source@bounces.example.com"]
    (event,) = await heard("ses", told.ses_bounce("(" * 5000, source="b-source@bounces.example.com"))
    assert list(event.named)[1] == "b-source@bounces.example.com", "strangers write that"
    (event,) = await heard("mailgun", told.mailgun_failed(CAROL, variables={}, sender="b-sender@bounces.example.com"))
    assert "b-sender@bounces.example.com" in event.named
    grouped: dict[str, Any] = {"event": "bounce", "unique_args": TOLD}
    (event,) = await heard("sendgrid", grouped)
    assert "b-told" in event.named


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=8))
@settings(max_examples=150, deadline=None)
def test_whatever_a_service_tells_is_read_or_said_to_be_unreadable(event: dict[str, Any]) -> None:
    for service in SERVICES:
        try:
            events = asyncio.run(heard(service, event))
        except UnreadableMessage:
            continue
        assert all(isinstance(named, str) for each in events for named in (*each.named, each.recipient))
