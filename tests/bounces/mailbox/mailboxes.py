"""The cast of the mailbox: mails that lie in it, and a worker's looks into it."""

from dataclasses import replace
from datetime import timedelta

from sqlmodel import select

from newsletter.bounces.mailbox.poller import Poller
from newsletter.bounces.reports.tables import Received
from newsletter.clock import TurnedClock
from newsletter.installation import Installation
from tests.bounces.coming_back import report

# Longer than any rest after a failure.
LONG = timedelta(minutes=11)
RETURNED = "Undelivered Mail Returned to Sender"
UNREAD = ""
MOVED = "$NewsletterProcessed"


def mail(to: str, subject: str, *, header: str = "To", body: str = "Hello") -> bytes:
    """Give a mail that somebody wrote."""
    return f"{header}: {to}\nFrom: reader@example.net\nSubject: {subject}\n\n{body}\n".encode()


def report_to(address: str) -> bytes:
    """Give a report as a mail server puts it into a mailbox that takes all mail of a domain."""
    return f"X-Original-To: {address}\nDelivered-To: bounces@example.com\n".encode() + report()


def poller(installation: Installation, url: str, name: str = "worker-0") -> Poller:
    """Give the loop of a worker of that name."""
    settings = installation.settings.model_copy(update={"imap_url": url})
    return Poller(replace(installation, settings=settings), name, lambda: False)


async def look(poller: Poller, clock: TurnedClock, after: timedelta = timedelta(minutes=1)) -> None:
    """Let it look into the mailbox after some time."""
    clock.turn(clock.now() + after)
    await poller.work()


async def counted(installation: Installation) -> dict[str, int]:
    """Give what was counted of what came by the mailbox."""
    async with installation.database.read() as session:
        rows = (await session.exec(select(Received).where(Received.way == "mailbox"))).all()
    return {row.taken: row.count for row in rows}
