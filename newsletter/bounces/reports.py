"""Taking what comes back: one row for each report, before anybody is told that we have it.

Every way in leads here: the listener, the mailbox, the command and the webhooks. What an address is signed for says
whose report it is; what the report says is stripped to its status fields; and the row, which is the same however often
and by whichever way it comes, is followed by its consequences later (`consequences.py`). So whoever is killed after the
commit has lost nothing, and whoever is killed before it has answered nobody.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import delete, func
from sqlmodel import SQLModel, col, select

from newsletter.bounces import arf, automatic, recognising
from newsletter.bounces.addressees import Addressee, of_aim, within_complaint
from newsletter.bounces.dsn import of_subscriber
from newsletter.bounces.mime import parse
from newsletter.bounces.reading import read
from newsletter.bounces.report_tables import Received, Report, ReportState
from newsletter.bounces.status_fields import StatusFields, fields_of
from newsletter.bounces.verdicts import Reading, Verdict, worst
from newsletter.clock import day_of
from newsletter.database import Session, insert_of, rows_of
from newsletter.delivery import return_address
from newsletter.delivery.return_address import Aim, Fault
from newsletter.installation import Installation
from newsletter.tokens import fingerprint
from newsletter.unsubscribe.actions import unsubscribe
from newsletter.unsubscribe.mailto import read_mailbox

KEPT = timedelta(days=30)
COUNTS_KEPT = timedelta(days=400)
# A report counts for a delivery of the last days alone (RULES F5).
COUNTING = timedelta(days=5)
# Whoever holds one return address can't fill the table with it.
MOST_OF_ONE = 8
_ALWAYS = (Verdict.COMPLAINT, Verdict.UNSUBSCRIBE)
# Where feedback loops are registered: what comes there carries our signed id inside.
COMPLAINTS = frozenset({"abuse", "complaints"})


class Taken(StrEnum):
    """What was done with something that came in.

    `accepted`: stored, or `repeated`: it is there already, or nothing more of this delivery is wanted. `unsubscribed`:
    it was to an unsubscribe address. `automatic`: so it was, but a machine wrote it. `nobody`: they are gone.
    `expired`, `forged`, `foreign`: the address leads nowhere.
    """

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    UNSUBSCRIBED = "unsubscribed"
    AUTOMATIC = "automatic"
    NOBODY = "nobody"
    EXPIRED = "expired"
    FORGED = "forged"
    FOREIGN = "foreign"


_OF_FAULT = {Fault.FOREIGN: Taken.FOREIGN, Fault.FORGED: Taken.FORGED, Fault.EXPIRED: Taken.EXPIRED}


def recognises(installation: Installation, address: str) -> bool:
    """Say whether mail to this address is for us, without asking the database: so whether a person is still there
    can't be found out.
    """
    return fault_of(installation, address) is None


def fault_of(installation: Installation, address: str) -> Taken | None:
    """Say why an address is not for us, as what is to be counted; None where it is."""
    domain = installation.settings.bounce_domain
    if read_mailbox(installation.keys, address, domain) is not None or _takes_complaints(installation, address):
        return None
    aim = return_address.read(installation.keys, domain, address, installation.clock.now())
    return _OF_FAULT[aim] if isinstance(aim, Fault) else None


async def take(
    session: Session, installation: Installation, raw: bytes, address: str, way: str, *, from_null: bool = False
) -> Taken:
    """Take what was sent to `address`, by whichever way; give what was done with it. Answer for it after the commit.

    `from_null` is where the envelope's sender was the null one; else the Return-Path at its head says so.
    """
    subscription_id = read_mailbox(installation.keys, address, installation.settings.bounce_domain)
    if subscription_id is not None:
        taken = await _leave(session, installation, raw, subscription_id, from_null=from_null)
    else:
        taken = await _take_report(session, installation, raw, address, way)
    await count(session, installation, way, taken)
    return taken


async def take_event(
    session: Session, installation: Installation, token: str, reading: Reading, way: str, recipient: str = ""
) -> Taken:
    """Take what a service tells of one of our mails: `token` is its return address, or the local part of that, or its
    unsubscribe address. Whoever calls has proved that the service tells it (RULES F8).

    `recipient` is the address of which it tells it, where it names one: it may only veto (RULES F5).
    """
    taken = await _take_reading(session, installation, _aim_of(installation, token), reading, way, recipient)
    await count(session, installation, way, taken)
    return taken


def _aim_of(installation: Installation, address: str) -> Aim | Fault:
    domain, now = installation.settings.bounce_domain, installation.clock.now()
    if (subscription_id := read_mailbox(installation.keys, address, domain)) is not None:
        return return_address.ReturnedLetter(subscription_id, now)
    return return_address.read(installation.keys, domain, address, now)


async def _leave(
    session: Session, installation: Installation, raw: bytes, subscription_id: str, *, from_null: bool
) -> Taken:
    """Unsubscribe whom the address is signed for, unless a machine wrote by itself (RULES E4)."""
    mail = parse(raw)
    if from_null or recognising.from_null_sender(mail) or automatic.announced(mail):
        return Taken.AUTOMATIC
    await unsubscribe(session, installation, subscription_id, "mail")
    return Taken.UNSUBSCRIBED


async def _take_report(session: Session, installation: Installation, raw: bytes, address: str, way: str) -> Taken:
    keys, now = installation.keys, installation.clock.now()
    aim = return_address.read(keys, installation.settings.bounce_domain, address, now)
    if isinstance(aim, Fault) and aim is not Fault.FOREIGN:
        return _OF_FAULT[aim]
    mail = parse(raw)
    if isinstance(aim, Fault):
        complaint = arf.feedback(mail)
        if complaint is None:
            return _OF_FAULT[aim]
        return await _take_reading(session, installation, within_complaint(installation, mail), complaint, way)
    addressee = await of_aim(session, aim)
    if addressee is None:
        return Taken.NOBODY
    reading = worst(read(raw, addressee.email))
    return await _store(session, installation, aim, addressee, reading, fields_of(mail, addressee.email), way)


def _takes_complaints(installation: Installation, address: str) -> bool:
    local, _, host = address.strip().strip("<>").lower().rpartition("@")
    return local in COMPLAINTS and bool(host) and host.rstrip(".") == installation.settings.bounce_domain.lower()


async def _take_reading(
    session: Session, installation: Installation, aim: Aim | Fault, reading: Reading, way: str, recipient: str = ""
) -> Taken:
    if isinstance(aim, Fault):
        return _OF_FAULT[aim]
    addressee = await of_aim(session, aim)
    if addressee is None:
        return Taken.NOBODY
    reading = of_subscriber(reading, [recipient] if recipient else [], addressee.email)
    return await _store(session, installation, aim, addressee, reading, StatusFields(), way)


async def _store(
    session: Session,
    installation: Installation,
    aim: Aim,
    addressee: Addressee,
    reading: Reading,
    fields: StatusFields,
    way: str,
) -> Taken:
    """Store a report, once."""
    now = installation.clock.now()
    if reading.verdict not in _ALWAYS and await _are_enough(session, addressee):
        return Taken.REPEATED
    values = {
        "id": fingerprint(f"{_what_of(addressee, aim)}/{reading.verdict}/{reading.code or ''}"),
        "mailing_id": addressee.mailing_id,
        "number": addressee.number,
        "subscription_id": addressee.subscription_id,
        "request_id": addressee.request_id,
        "way": way[:16],
        "received_at": now,
        "sent_on": day_of(aim.written_at),
        "late": now - aim.written_at > COUNTING,
        "verdict": reading.verdict.value,
        "code": reading.code[:12] if reading.code else None,
        "reason": reading.reason[:200],
        **fields._asdict(),
        "state": ReportState.TAKEN,
        "due_at": now,
        "counted": False,
    }
    written = await session.execute(_storing(session.get_bind().dialect.name), values)
    return Taken.ACCEPTED if rows_of(written) else Taken.REPEATED


def _what_of(addressee: Addressee, aim: Aim) -> str:
    """Give what came back, as text: a delivery, or the letters of a day about the same."""
    if addressee.mailing_id is not None:
        return f"delivery/{addressee.mailing_id}/{addressee.number}"
    return f"letter/{addressee.subscription_id or addressee.request_id}/{aim.written_at:%Y-%m-%d}"


async def _are_enough(session: Session, addressee: Addressee) -> bool:
    query = (
        select(func.count())
        .select_from(Report)
        .where(
            Report.subscription_id == addressee.subscription_id,
            Report.request_id == addressee.request_id,
            Report.mailing_id == addressee.mailing_id,
            Report.number == addressee.number,
        )
    )
    return (await session.exec(query)).one() >= MOST_OF_ONE


async def count(session: Session, installation: Installation, way: str, taken: Taken, number: int = 1) -> None:
    """Count what came in by a way today. Nothing else is kept of what leads nowhere."""
    values = {"day": day_of(installation.clock.now()), "way": way[:16], "taken": taken.value, "count": number}
    await session.execute(_counting(session.get_bind().dialect.name), values)


# To make a statement takes longer than to carry it out, and thousands of reports may come at once.
@cache
def _storing(dialect: str) -> Any:
    return insert_of(dialect, SQLModel.metadata.tables["report"]).on_conflict_do_nothing()


@cache
def _counting(dialect: str) -> Any:
    table = SQLModel.metadata.tables["received"]
    statement = insert_of(dialect, table)
    added = {"count": table.c.count + statement.excluded["count"]}
    return statement.on_conflict_do_update(index_elements=["day", "way", "taken"], set_=added)


async def received(session: Session) -> Sequence[Received]:
    """Give how much came in by day and way, and what was done with it."""
    query = select(Received).order_by(col(Received.day), col(Received.way), col(Received.taken))
    return (await session.exec(query)).all()


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many reports are over."""
    over = col(Report.received_at) < installation.clock.now() - KEPT
    return (await session.exec(select(func.count()).select_from(Report).where(over))).one()


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete the reports that are over; give how many."""
    over = col(Report.received_at) < installation.clock.now() - KEPT
    return rows_of(await session.execute(delete(Report).where(over)))


async def count_old_counts(session: Session, installation: Installation) -> int:
    """Give how many of the counts of what came in are over."""
    over = col(Received.day) < installation.clock.now() - COUNTS_KEPT
    return (await session.exec(select(func.count()).select_from(Received).where(over))).one()


async def purge_old_counts(session: Session, installation: Installation) -> int:
    """Delete the counts of what came in that are over; give how many."""
    over = col(Received.day) < installation.clock.now() - COUNTS_KEPT
    return rows_of(await session.execute(delete(Received).where(over)))
