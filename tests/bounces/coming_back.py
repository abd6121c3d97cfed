"""The cast of what comes back: issues that were sent, reports of them, and what the worker then does."""

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import col, select

from newsletter.bounces import actions, settling
from newsletter.bounces.reports.actions import Taken, take
from newsletter.bounces.reports.tables import Report
from newsletter.delivery.tables import Mailing
from newsletter.installation import Installation
from newsletter.subscribers.tables import DeadSignal, Subscriber
from tests.bounces.reading.returned import postfix_report
from tests.delivery.cast import finish, mailing_to, send
from tests.support.peer import SmtpPeer

HOUR = timedelta(hours=1)
CAROL = "carol@example.net"
UNKNOWN = "550 5.1.1 User unknown"


def report(address: str = CAROL, diagnostic: str = UNKNOWN, status: str = "5.1.1", *, action: str = "failed") -> bytes:
    """Give a report as Postfix writes it."""
    return postfix_report(diagnostic, status, address=address, action=action)


def complaint(returned: str = "From: books@example.com\n") -> bytes:
    """Give a feedback report (RFC 5965) with the head of the mail that it is about."""
    return (
        "From: feedback@example.net\nTo: abuse@bounces.example.com\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="cut"\n\n--cut\n\nA complaint.\n'
        "--cut\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n\n"
        f"--cut\nContent-Type: message/rfc822\n\n{returned}\n--cut--\n"
    ).encode()


async def sent(installation: Installation, peer: SmtpPeer, everybody: Sequence[str]) -> Mailing:
    """Send an issue to all of them, and be done with it."""
    mailing = await mailing_to(installation, everybody)
    await send(installation, peer, mailing)
    await finish(installation)
    return mailing


async def sent_with_dead(installation: Installation, peer: SmtpPeer, everybody: Sequence[str], *dead: str) -> None:
    """Send an issue to everybody, of whom some turn out to be dead."""
    for email in dead:
        peer.refuse(email)
    await send(installation, peer, await mailing_to(installation, everybody))


def return_address(peer: SmtpPeer, email: str = CAROL) -> str:
    """Give the return address of the last mail that somebody got."""
    return peer.mails_to(email)[-1].sender


async def comes(installation: Installation, raw: bytes, address: str, way: str = "listener") -> Taken:
    """Let a mail come in, as each way in does."""
    async with installation.database.write() as session:
        return await take(session, installation, raw, address, way)


async def follows(installation: Installation) -> int:
    """Do what the worker does every second; give how many people were deleted."""
    await settling.settle_taken(installation)
    return await bury(installation)


async def bury(installation: Installation) -> int:
    """Delete the dead whose hold is over; give how many that were."""
    async with installation.database.read() as session:
        held = await actions.due(session, installation)
    buried = 0
    for subscriber_id in held:
        async with installation.database.write() as session:
            buried += await actions.settle(session, installation, subscriber_id)
    return buried


async def alive(installation: Installation) -> set[str]:
    async with installation.database.read() as session:
        return set((await session.exec(select(Subscriber.canonical))).all())


async def signals(installation: Installation) -> list[str]:
    async with installation.database.read() as session:
        return list((await session.exec(select(DeadSignal.state))).all())


async def reports(installation: Installation) -> list[Report]:
    async with installation.database.read() as session:
        return list((await session.exec(select(Report).order_by(col(Report.verdict), col(Report.id)))).all())
