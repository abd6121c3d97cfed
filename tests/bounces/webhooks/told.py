"""What each service tells, in the form that it documents, of invented people."""

from typing import Any

UNKNOWN = "550 5.1.1 <carol@example.net>: Recipient address rejected: User unknown"


def ses_bounce(
    email: str,
    *more: str,
    source: str = "",
    kind: str = "Permanent",
    subtype: str = "General",
    diagnostic: str = f"smtp; {UNKNOWN}",
    status: str = "5.1.1",
    **mail: Any,
) -> dict[str, Any]:
    """Give a bounce, as SES publishes it to a topic."""
    return {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": subtype,
            "bouncedRecipients": [
                {"emailAddress": one, "action": "failed", "status": status, "diagnosticCode": diagnostic}
                for one in (email, *more)
            ],
            "timestamp": "2026-11-02T09:00:02.669Z",
            "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
            "reportingMTA": "dsn; mta.example.com",
        },
        "mail": {
            "timestamp": "2026-11-02T09:00:00.012Z",
            "source": source,
            "messageId": "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
            "destination": [email],
            **mail,
        },
    }


def postmark_bounce(
    email: str, *, metadata: dict[str, str], kind: str = "HardBounce", details: str = f"smtp;{UNKNOWN}"
) -> dict[str, Any]:
    """Give a bounce, as Postmark tells it."""
    return {
        "RecordType": "Bounce",
        "MessageStream": "broadcast",
        "ID": 4323372036854775807,
        "Type": kind,
        "TypeCode": 1,
        "Name": "Hard bounce",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": metadata,
        "ServerID": 23,
        "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
        "Details": details,
        "Email": email,
        "From": "books@example.com",
        "BouncedAt": "2026-11-02T09:00:02.0000000Z",
        "DumpAvailable": True,
        "Inactive": True,
        "CanActivate": True,
        "Subject": "News of the week",
    }


def sendgrid_bounce(email: str, *, delivery: str, **changes: str) -> dict[str, Any]:
    """Give a bounce, as SendGrid tells it."""
    return {
        "email": email,
        "timestamp": 1793610002,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "event": "bounce",
        "category": [],
        "sg_event_id": "6g4ZI7SA-xmRDv57GoPIPw==",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "bounce_classification": "Invalid Address",
        "reason": UNKNOWN,
        "status": "5.1.1",
        "type": "bounce",
        "delivery": delivery,
        **changes,
    }


def mailgun_failed(
    email: str,
    *,
    variables: dict[str, str],
    sender: str = "books@example.com",
    severity: str = "permanent",
    reason: str = "bounce",
    **status: Any,
) -> dict[str, Any]:
    """Give a failure, as Mailgun tells it."""
    return {
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": 1793610002.67,
        "log-level": "error",
        "event": "failed",
        "severity": severity,
        "reason": reason,
        "delivery-status": {
            "attempt-no": 1,
            "code": 550,
            "enhanced-code": "5.1.1",
            "message": "5.1.1 The email account that you tried to reach does not exist.",
            "description": "",
            "session-seconds": 0.433,
            **status,
        },
        "flags": {"is-routed": False, "is-authenticated": True, "is-system-test": False, "is-test-mode": False},
        "envelope": {"transport": "smtp", "sender": sender, "sending-ip": "192.0.2.25", "targets": email},
        "message": {"headers": {"to": email, "from": "books@example.com", "subject": "News of the week"}},
        "recipient": email,
        "recipient-domain": email.partition("@")[2],
        "user-variables": variables,
    }
