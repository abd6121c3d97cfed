"""The cast of the webhooks: the app with all four set up, and what each service sends, signed with keys of its own."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from newsletter.bounces.webhooks.routes import services_of
from newsletter.installation import Installation
from tests.bounces.coming_back import CAROL
from tests.bounces.webhooks import told
from tests.web.site import Site, running_site

TOPIC = "arn:aws:sns:eu-north-1:123456789012:bounces"
HOST = "https://sns.eu-north-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef.pem"
CONFIRM = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb687f5d51e6e2425e"
PASSWORD = "postmark:a password of tests"
SIGNING_KEY = "key-0123456789abcdef0123456789abcdef"
SENDGRID = ec.generate_private_key(ec.SECP256R1())
AMAZON = rsa.generate_private_key(65537, 2048)
SETTINGS = {
    "webhook_ses": f"arn:aws:sns:us-east-1:123456789012:others, {TOPIC}",
    "webhook_postmark": PASSWORD,
    "webhook_sendgrid": base64.b64encode(
        SENDGRID.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).decode(),
    "webhook_mailgun": SIGNING_KEY,
}
SERVICES = ("ses", "postmark", "sendgrid", "mailgun")


@dataclass
class Amazon:
    """What is fetched from Amazon, without a network: every address that was asked for, and a certificate at each."""

    fetched: list[str] = field(default_factory=list)

    async def __call__(self, url: str) -> bytes:
        self.fetched.append(url)
        return _certificate()


@dataclass(frozen=True)
class Sent:
    """A message of a service, as it comes over HTTP."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hooked:
    """The app with its webhooks, and Amazon."""

    site: Site
    amazon: Amazon

    async def take(self, service: str, message: Sent) -> httpx.Response:
        """Let a message of a service come in."""
        return await self.site.browser.post(f"/webhooks/{service}", content=message.body, headers=dict(message.headers))

    def signed(self, service: str, event: Any) -> Sent:
        """Give a message of a service with that event, as it leaves the service now."""
        return SIGNING[service](event, self.site.installation.clock.now())


@asynccontextmanager
async def hooked(opened: Installation) -> AsyncIterator[Hooked]:
    """Give the app with all four services set up."""
    settings = opened.settings.model_copy(update=SETTINGS)
    async with running_site(replace(opened, settings=settings)) as site:
        amazon = Amazon()
        site.app.state.webhooks = services_of(settings, site.installation.clock, amazon)
        yield Hooked(site, amazon)


def sns(
    message: object,
    now: datetime,
    *,
    kind: str = "Notification",
    version: str = "2",
    key: rsa.RSAPrivateKey = AMAZON,
    subject: str | None = None,
    **changes: str,
) -> Sent:
    """Give a message of SNS; `changes` are made before it is signed."""
    fields = {
        "Type": kind,
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
    }
    if kind != "Notification":
        fields |= {"Token": "2336412f37fb687f5d51e6e2425e", "SubscribeURL": CONFIRM}
    fields |= {"Subject": subject} if subject else {}
    fields |= changes
    covered = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    canonical = "".join(f"{name}\n{fields[name]}\n" for name in covered if name in fields).encode()
    hashing = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303 (what SNS signs with at first)
    fields["Signature"] = base64.b64encode(key.sign(canonical, PKCS1v15(), hashing)).decode()
    return Sent(json.dumps(fields).encode(), {"content-type": "text/plain; charset=UTF-8"})


def postmark(event: object, _: datetime, *, password: str = PASSWORD) -> Sent:
    """Give a message of Postmark."""
    credentials = base64.b64encode(password.encode()).decode()
    return Sent(json.dumps(event).encode(), {"authorization": f"Basic {credentials}"})


def sendgrid(events: object, now: datetime, *, key: ec.EllipticCurvePrivateKey = SENDGRID) -> Sent:
    """Give a batch of SendGrid."""
    batch = events if isinstance(events, list) else [events]
    body, timestamp = json.dumps(batch, indent=1).encode() + b"\r\n", str(int(now.timestamp()))
    signature = key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return Sent(
        body,
        {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        },
    )


_shown: list[None] = []


def mailgun(event: object, now: datetime, *, key: str = SIGNING_KEY, token: str = "") -> Sent:
    """Give a message of Mailgun, with a token that no other has where none is named."""
    _shown.append(None)
    token = token or hashlib.sha256(str(len(_shown)).encode()).hexdigest()[:50]
    timestamp = str(int(now.timestamp()))
    signature = hmac.digest(key.encode(), f"{timestamp}{token}".encode(), "sha256").hex()
    signed = {"timestamp": timestamp, "token": token, "signature": signature}
    return Sent(json.dumps({"signature": signed, "event-data": event}).encode())


SIGNING: dict[str, Callable[[Any, datetime], Sent]] = {
    "ses": sns,
    "postmark": postmark,
    "sendgrid": sendgrid,
    "mailgun": mailgun,
}


def dead(service: str, named: str, email: str = CAROL) -> dict[str, Any]:
    """Give what a service tells of a mailbox that does not exist, of the mail with the return address `named`."""
    return {
        "ses": lambda: told.ses_bounce(email, source=named),
        "postmark": lambda: told.postmark_bounce(email, metadata={"delivery": named.partition("@")[0]}),
        "sendgrid": lambda: told.sendgrid_bounce(email, delivery=named.partition("@")[0]),
        "mailgun": lambda: told.mailgun_failed(email, variables={"delivery": named.partition("@")[0]}),
    }[service]()


def complained(service: str, named: str, email: str = CAROL) -> dict[str, Any]:
    """Give what a service tells of a reader who reports that mail as spam."""
    local = named.partition("@")[0]
    told_of: dict[str, dict[str, Any]] = {
        "ses": {
            "notificationType": "Complaint",
            "complaint": {"complainedRecipients": [{"emailAddress": email}], "complaintFeedbackType": "abuse"},
            "mail": {"source": named, "destination": [email]},
        },
        "postmark": {
            "RecordType": "SpamComplaint",
            "Type": "SpamComplaint",
            "TypeCode": 512,
            "Email": email,
            "Details": "Test spam complaint details",
            "Metadata": {"delivery": local},
        },
        "sendgrid": {"email": email, "event": "spamreport", "delivery": local},
        "mailgun": {"event": "complained", "recipient": email, "user-variables": {"delivery": local}},
    }
    return told_of[service]


def _certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    began = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, AMAZON.public_key(), 1, began, began + timedelta(days=365))
    return builder.sign(AMAZON, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
