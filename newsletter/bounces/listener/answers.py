"""What the listener says to a mail server (RULES E4, F5): whom it takes mail for, and what became of a mail.

Whoever is named as a recipient must be an address that we signed, which is checked without asking the database; so
nobody can find out who is still a reader. A mail is answered when it is stored; whatever goes wrong is answered with
"try again later", and no mail is ever answered with a mail.
"""

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.bounces.listener.door import Door, machine_of
from newsletter.bounces.listener.storing import Incoming, Storing
from newsletter.bounces.reading import arf
from newsletter.bounces.reading.mime import parse
from newsletter.bounces.reports import actions as reports
from newsletter.bounces.reports.actions import Taken
from newsletter.delivery import return_address
from newsletter.installation import Installation
from newsletter.logs import get_logger, where

MOST_RECIPIENTS = 50
# Longer than SQLite's writers wait for each other.
_STORING_SECONDS = 25
_EXTENSIONS = ("250-PIPELINING", "250 ENHANCEDSTATUSCODES")
STORED = "250 2.0.0 Thank you, it is stored."
AGAIN = "451 4.3.0 It can't be stored just now; please try again later."
_TOO_FAST = "421 4.7.0 Too much in one minute; please try again later."
_NOBODY = "550 5.1.1 No such address here."
_NO_BOUNCE = "550 5.7.1 Reports alone come here, and they have the null sender: MAIL FROM:<>."
NO_COMPLAINT = "550 5.6.0 Nobody reads what comes here but feedback reports (RFC 5965)."
_TOO_MANY = "452 4.5.3 Too many recipients; please send the others another time."
_log = get_logger(__name__)


class Answers:
    """What is said to a mail server's commands, for aiosmtpd to ask."""

    def __init__(self, installation: Installation, storing: Storing, door: Door) -> None:
        self._installation = installation
        self._storing = storing
        self._door = door
        self._reading = asyncio.Semaphore(1)

    async def handle_EHLO(  # noqa: N802 (as aiosmtpd calls it)
        self,
        server: SMTP,  # noqa: ARG002 (as aiosmtpd calls it)
        session: Session,
        envelope: Envelope,  # noqa: ARG002 (as aiosmtpd calls it)
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Name what we can do."""
        session.host_name = hostname
        return [*responses[:-1], *_EXTENSIONS]

    async def handle_RCPT(  # noqa: N802 (as aiosmtpd calls it)
        self,
        server: SMTP,  # noqa: ARG002 (as aiosmtpd calls it)
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],  # noqa: ARG002 (as aiosmtpd calls it)
    ) -> str:
        """Take an address that we signed, and no other."""
        if not self._door.ask(machine_of(session.peer)):
            return _TOO_FAST
        if fault := reports.fault_of(self._installation, address):
            self._storing.refuse(fault)
            return _NOBODY
        if not _from_null(envelope) and self._takes_reports_alone(address):
            return _NO_BOUNCE
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return _TOO_MANY
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Go on."

    async def handle_exception(self, error: Exception) -> str:
        """Let nothing that we did wrong lose a mail."""
        _log.error("listener_failed", kind=type(error).__name__, where=where(error))
        return AGAIN

    async def take(self, envelope: Envelope, raw: bytes) -> list[str]:
        """Store a mail, once for whoever is named again and again; give the answer for each of its recipients."""
        from_null = _from_null(envelope)
        mails = {_folded(recipient): Incoming(raw, recipient, from_null) for recipient in envelope.rcpt_tos}
        said = await asyncio.gather(*(self._answer(mail) for mail in mails.values()))
        answers = dict(zip(mails, said, strict=True))
        return [answers[_folded(recipient)] for recipient in envelope.rcpt_tos]

    async def _answer(self, mail: Incoming) -> str:
        try:
            async with asyncio.timeout(_STORING_SECONDS):
                if reports.takes_complaints(self._installation, mail.recipient) and not await self._complains(mail.raw):
                    self._storing.refuse(Taken.FOREIGN)
                    return NO_COMPLAINT
                await self._storing.store(mail)
        except Exception as error:
            _log.warning("listener_could_not_store", kind=type(error).__name__, where=where(error))
            return AGAIN
        return STORED

    async def _complains(self, raw: bytes) -> bool:
        # Anybody may write there, at length. One is read at a time, and the worker goes on with its own work.
        async with self._reading:
            return await asyncio.to_thread(lambda: arf.feedback(parse(raw)) is not None)

    def _takes_reports_alone(self, address: str) -> bool:
        installation = self._installation
        domain, now = installation.settings.bounce_domain, installation.clock.now()
        return isinstance(return_address.read(installation.keys, domain, address, now), return_address.Aim)


def _folded(recipient: str) -> str:
    return recipient.strip().lower().rstrip(".")


def _from_null(envelope: Envelope) -> bool:
    return envelope.mail_from == "<>"
