"""Messages of Amazon SNS: whether they come from a topic that is listed, and were signed by its region.

The certificate and the link that confirms a subscription are fetched from the host of the topic's own region, whatever
the message says, and after all that needs no fetching has held. A message keeps its time when it is sent again, which
SNS does for an hour at most; so that, and not five minutes, is its window (RULES F8). Within it a message that comes
again changes nothing.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from newsletter.bounces.webhooks.events import NotProven, text_at
from newsletter.bounces.webhooks.fetching import Certificates, Opener
from newsletter.errors import MisconfiguredError

NOTIFICATION, CONFIRMATION, _FAREWELL = "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"
_OF_SUBSCRIPTION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: _OF_SUBSCRIPTION,
    _FAREWELL: _OF_SUBSCRIPTION,
}
# Version 1 is what topics sign with where nobody chose; nothing else signs it, and the text begins with the message.
_HASHES: Mapping[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}
_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z0-9-]{3,30}):[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_RETRIED, _AHEAD = timedelta(hours=1, minutes=5), timedelta(minutes=5)
_NOT_SIGNED = "The signature is missing, or not one of this topic's region."


class Topics:
    """The topics that are listed in NEWSLETTER_WEBHOOK_SES. Raises MisconfiguredError."""

    def __init__(self, listed: str, certificates: Certificates, opener: Opener) -> None:
        self._hosts = {arn.strip(): _host(arn.strip()) for arn in listed.split(",") if arn.strip()}
        if not self._hosts:
            raise MisconfiguredError("NEWSLETTER_WEBHOOK_SES must name the ARN of a topic.")
        self._certificates = certificates
        self._opener = opener

    async def prove(self, message: Mapping[str, Any], now: datetime) -> str:
        """Give the type of a message that a listed topic has signed. Raises NotProven or Unreachable."""
        kind, host = text_at(message, "Type"), self._hosts.get(text_at(message, "TopicArn"))
        if kind not in _SIGNED or host is None:
            raise NotProven("This comes from no topic that NEWSLETTER_WEBHOOK_SES lists.")
        if not _is_timely(text_at(message, "Timestamp"), now):
            raise NotProven("The message is older than an hour; or a clock is wrong.")
        url = text_at(message, "SigningCertURL")
        if not re.fullmatch(rf"https://{re.escape(host)}/[A-Za-z0-9_-]{{1,100}}\.pem", url):
            raise NotProven("The certificate is not at the host of this topic's region.")
        hashing = _HASHES.get(text_at(message, "SignatureVersion"))
        key = await self._certificates.key_at(url) if hashing else None
        try:
            signature = base64.b64decode(text_at(message, "Signature"), validate=True)
            if hashing is None or key is None:
                raise NotProven(_NOT_SIGNED)
            key.verify(signature, _canonical(message, kind), PKCS1v15(), hashing())
        except (InvalidSignature, binascii.Error, ValueError):
            raise NotProven(_NOT_SIGNED) from None
        return kind

    async def confirm(self, message: Mapping[str, Any]) -> None:
        """Confirm the subscription that a proven message asks about. Raises NotProven or Unreachable."""
        host, url = self._hosts[text_at(message, "TopicArn")], text_at(message, "SubscribeURL")
        if not re.fullmatch(
            rf"https://{re.escape(host)}/\?Action=ConfirmSubscription&[\w=&%:.+-]{{1,2000}}", url, re.ASCII
        ):
            raise NotProven("The link that confirms is not at the host of this topic's region.")
        await self._opener(url)


def _host(arn: str) -> str:
    found = _ARN.fullmatch(arn)
    if found is None:
        raise MisconfiguredError(
            "NEWSLETTER_WEBHOOK_SES must list the topics by ARN, such as arn:aws:sns:eu-north-1:123456789012:bounces."
        )
    return f"sns.{found.group(2)}.amazonaws.com" + (".cn" if found.group(1) == "aws-cn" else "")


def _is_timely(timestamp: str, now: datetime) -> bool:
    try:
        written = datetime.fromisoformat(timestamp)
    except ValueError:
        return False
    return written.tzinfo is not None and -_AHEAD <= now - written <= _RETRIED


def _canonical(message: Mapping[str, Any], kind: str) -> bytes:
    fields = [(name, message.get(name)) for name in _SIGNED[kind]]
    if any(value is not None and not isinstance(value, str) for _, value in fields):
        raise NotProven(_NOT_SIGNED)
    return "".join(f"{name}\n{value}\n" for name, value in fields if value is not None).encode()
