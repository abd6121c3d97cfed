"""Fetching from Amazon's hosts: certificates, which are kept, and the links that confirm a subscription.

What is fetched was matched against its one host before. TLS is verified, no redirect is followed, and neither a large
nor a slow answer is waited for. Strangers can make us ask for a certificate, so only so many are asked for in a minute.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate, load_pem_x509_certificate

from newsletter.bounces.webhooks.events import NotProven
from newsletter.clock import Clock
from newsletter.errors import NewsletterError

Opener = Callable[[str], Awaitable[bytes]]
_SECONDS = 5.0
_LARGEST = 64 * 1024
_MOST_KEPT = 32
_MOST_A_MINUTE = 10
_OK = 200


class Unreachable(NewsletterError):
    """What is needed to prove the message can't be fetched just now; it may be sent again."""

    status = 503
    title = "Not possible now"


async def fetch(url: str) -> bytes:
    """Give what is at an address. Raises Unreachable."""
    try:
        async with asyncio.timeout(2 * _SECONDS):
            return await asyncio.to_thread(_get, url)
    except (OSError, HTTPException):
        raise Unreachable("Amazon could not be asked just now; please send it again.") from None


def _get(url: str) -> bytes:
    parts = urlsplit(url)
    connection = HTTPSConnection(
        parts.hostname or "", parts.port, timeout=_SECONDS, context=ssl.create_default_context()
    )
    try:
        connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
        answer = connection.getresponse()
        content = answer.read(_LARGEST + 1)
    finally:
        connection.close()
    if answer.status != _OK or len(content) > _LARGEST:
        raise OSError(f"an answer of {answer.status}")
    return content


class Certificates:
    """The certificates of SNS by their address, each fetched once."""

    def __init__(self, opener: Opener, clock: Clock) -> None:
        self._opener = opener
        self._clock = clock
        self._kept: dict[str, Certificate] = {}
        self._asked: deque[float] = deque(maxlen=_MOST_A_MINUTE)
        self._one_at_a_time = asyncio.Lock()

    async def key_at(self, url: str) -> RSAPublicKey:
        """Give the key of the certificate at an address. Raises Unreachable, or NotProven where it holds none."""
        if (certificate := self._kept.get(url)) is None:
            async with self._one_at_a_time:
                certificate = self._kept.get(url) or await self._fetched(url)
        now, key = self._clock.now(), certificate.public_key()
        valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
        if not valid or not isinstance(key, RSAPublicKey):
            raise NotProven("The certificate is over, or not of the kind that SNS signs with.")
        return key

    async def _fetched(self, url: str) -> Certificate:
        now = self._clock.monotonic()
        if len(self._asked) == _MOST_A_MINUTE and now - self._asked[0] < 60:
            raise Unreachable("Too many certificates were asked for just now; please send it again in a minute.")
        self._asked.append(now)
        try:
            certificate = load_pem_x509_certificate(await self._opener(url))
        except ValueError:
            raise NotProven("There is no certificate at the address that the message names.") from None
        if len(self._kept) >= _MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[url] = certificate
        return certificate
