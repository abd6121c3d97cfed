"""A real SMTP server within the demonstration: it takes every mail, and none goes any further.

So it is the mail host of every reader, and sends back what their hosts would (`returning.py`).
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.clock import Clock
from newsletter.demo.returning import Hosts

_STOP_SECONDS = 5
_MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class Caught:
    """A mail as it came over the wire."""

    id: int
    to: str
    received_at: datetime
    message: EmailMessage

    @property
    def subject(self) -> str:
        """Give its subject."""
        return str(self.message["subject"])

    def part(self, kind: str) -> str:
        """Give its `plain` or `html` part."""
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


class Catcher:
    """The mailbox of everybody. The oldest mails go when it is full."""

    def __init__(self, clock: Clock, port: int, hosts: Hosts) -> None:
        self._clock = clock
        self._hosts = hosts
        self._mails: dict[int, Caught] = {}
        self._count = 0
        self._port = port
        self._controller = Controller(self, hostname="127.0.0.1", port=port)

    @property
    def url(self) -> str:
        """Give where it listens, as an SMTP_URL."""
        return f"smtp://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._controller.start()

    def stop(self) -> None:
        """Listen no more, and let go what was to come back."""
        stopping = asyncio.run_coroutine_threadsafe(self._hosts.stop(), self._controller.loop)
        with suppress(TimeoutError):
            stopping.result(_STOP_SECONDS)
        self._controller.stop()

    def mails(self) -> Sequence[Caught]:
        """Give what was caught, the newest first."""
        return list(reversed(list(self._mails.values())))

    def mail(self, number: int) -> Caught | None:
        """Give one mail."""
        return self._mails.get(number)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 (aiosmtpd's names)
        """Take a mail."""
        content: Any = envelope.original_content
        raw = bytes(content)
        message = message_from_bytes(raw, policy=default)
        assert isinstance(message, EmailMessage)
        self._count += 1
        self._mails[self._count] = Caught(self._count, ", ".join(envelope.rcpt_tos), self._clock.now(), message)
        if len(self._mails) > _MOST_KEPT:
            del self._mails[min(self._mails)]
        self._hosts.take(envelope.mail_from or "", envelope.rcpt_tos, raw)
        return "250 2.0.0 caught"
