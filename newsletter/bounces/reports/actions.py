"""Taking what comes back: one row for each report, before anybody is told that we have it.

Every way in leads here: the listener, the mailbox, the command and the webhooks. What an address is signed for says
whose report it is; what the report says is stripped to its status fields; and the row, which is the same however often
and by whichever way it comes, is followed by its consequences later (`consequences.py`). So whoever is killed after the
commit has lost nothing, and whoever is killed before it has answered nobody.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import delete, func
from sqlmodel import col, select

from newsletter.bounces.reading import arf, automatic, recognising
from newsletter.bounces.reading.dsn import of_subscriber
from newsletter.bounces.reading.mime import Mail, parse
from newsletter.bounces.reading.reading import read_mail
from newsletter.bounces.reading.status_fields import StatusFields, fields_of
from newsletter.bounces.reading.verdicts import Reading, Verdict, worst
from newsletter.bounces.reports import rows
from newsletter.bounces.reports.addressees import Addressees, of_aims, within_complaint
from newsletter.bounces.reports.rows import Row
from newsletter.bounces.reports.tables import Received, Report
from newsletter.database import Session, rows_of
from newsletter.delivery import return_address
from newsletter.delivery.return_address import Aim, Fault
from newsletter.installation import Installation
from newsletter.unsubscribe.actions import unsubscribe
from newsletter.unsubscribe.mailto import read_mailbox

KEPT = timedelta(days=30)
COUNTS_KEPT = timedelta(days=400)
# Where feedback loops are registered: what comes there carries our signed id inside.
COMPLAINTS = frozenset({"abuse", "complaints"})


class Taken(StrEnum):
    """What was done with something that came in.

    `accepted`: stored, or `repeated`: it is there already, or nothing more of this delivery is wanted. `unsubscribed`:
    it was to an unsubscribe address. `automatic`: so it was, but a machine wrote it. `nobody`: they are gone.
    `expired`, `forged`, `foreign`: the address leads nowhere. `unproven`: nothing shows that the service sent it.
    """

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    UNSUBSCRIBED = "unsubscribed"
    AUTOMATIC = "automatic"
    NOBODY = "nobody"
    EXPIRED = "expired"
    FORGED = "forged"
    FOREIGN = "foreign"
    UNPROVEN = "unproven"


_OF_FAULT = {Fault.FOREIGN: Taken.FOREIGN, Fault.FORGED: Taken.FORGED, Fault.EXPIRED: Taken.EXPIRED}


def recognises(installation: Installation, address: str) -> bool:
    """Say whether mail to this address is for us, without asking the database: so whether a person is still there
    can't be found out.
    """
    return fault_of(installation, address) is None


def fault_of(installation: Installation, address: str) -> Taken | None:
    """Say why an address is not for us, as what is to be counted; None where it is."""
    domain = installation.settings.bounce_domain
    if read_mailbox(installation.keys, address, domain) is not None or takes_complaints(installation, address):
        return None
    aim = return_address.read(installation.keys, domain, address, installation.clock.now())
    return _OF_FAULT[aim] if isinstance(aim, Fault) else None


class Said(NamedTuple):
    """What came in, before it is known whether they are still there of whom it is: `aim` is what it was sent to.

    It is a `mail`, or `told`, by a service or a feedback loop; that may name a `recipient`, who may only veto.
    """

    aim: Aim | Fault
    mail: Mail | None = None
    told: Reading | None = None
    recipient: str = ""


def open_report(installation: Installation, raw: bytes, address: str) -> Said:
    """Take apart what was sent to `address`, which is none to unsubscribe; that needs no database."""
    keys, domain, now = installation.keys, installation.settings.bounce_domain, installation.clock.now()
    aim = return_address.read(keys, domain, address, now)
    if isinstance(aim, Fault) and aim is not Fault.FOREIGN:
        return Said(aim)
    mail = parse(raw)
    if not isinstance(aim, Fault):
        return Said(aim, mail)
    complaint = arf.feedback(mail)
    if complaint is None:
        return Said(aim)
    whose, by_link = within_complaint(installation, mail)
    # Whoever has an issue sent on to them has its link too: by that one may be left out, and no more (RULES E7).
    less = by_link and complaint.verdict is Verdict.COMPLAINT
    return Said(whose, told=arf.of_type("opt-out") if less else complaint)


async def take(
    session: Session, installation: Installation, raw: bytes, address: str, way: str, *, from_null: bool = False
) -> Taken:
    """Take what was sent to `address`, by whichever way; give what was done with it. Answer for it after the commit.

    `from_null` is where the envelope's sender was the null one; else the Return-Path at its head says so.
    """
    subscription_id = read_mailbox(installation.keys, address, installation.settings.bounce_domain)
    if subscription_id is None:
        return await _take_one(session, installation, open_report(installation, raw, address), way)
    taken = await _leave(session, installation, raw, subscription_id, from_null=from_null)
    await count(session, installation, way, taken)
    return taken


async def take_event(
    session: Session, installation: Installation, token: str, reading: Reading, way: str, recipient: str = ""
) -> Taken:
    """Take what a service tells of one of our mails: `token` is its return address, or the local part of that, or its
    unsubscribe address. Whoever calls has proved that the service tells it (RULES F8).

    `recipient` is the address of which it tells it, where it names one: it may only veto (RULES F5).
    """
    said = Said(_aim_of(installation, token), told=reading, recipient=recipient)
    return await _take_one(session, installation, said, way)


async def _take_one(session: Session, installation: Installation, said: Said, way: str) -> Taken:
    (taken,) = await take_many(session, installation, [said], way, waiting=True)
    assert taken is not None
    return taken


async def take_many(
    session: Session, installation: Installation, came: Sequence[Said], way: str, *, waiting: bool = False
) -> list[Taken | None]:
    """Take what came in, in its order; give what was done with each. Answer for them after the commit.

    None is for one whose person somebody else holds just now: take that by itself, in another transaction, and
    `waiting`. Two who both wait, with others in hand, could wait for each other.
    """
    aims = {said.aim for said in came if not isinstance(said.aim, Fault)}
    found = await of_aims(session, aims, waiting=waiting)
    read = [_read(installation, said, found, way) for said in came]
    new = iter(await rows.store(session, [each for each in read if isinstance(each, Row)]))
    taken = [(Taken.ACCEPTED if next(new) else Taken.REPEATED) if isinstance(each, Row) else each for each in read]
    counts = Counter(each.value for each in taken if each is not None)
    await rows.count(session, installation.clock.now(), way, counts)
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


def takes_complaints(installation: Installation, address: str) -> bool:
    """Say whether an address is one to which anybody may complain."""
    local, _, host = address.strip().strip("<>").lower().rpartition("@")
    return local in COMPLAINTS and bool(host) and host.rstrip(".") == installation.settings.bounce_domain.lower()


def _read(installation: Installation, said: Said, found: Addressees, way: str) -> Row | Taken | None:
    """Give the row of a report, or what is done with it where there is nobody to hang it on."""
    if isinstance(said.aim, Fault):
        return _OF_FAULT[said.aim]
    if (addressee := found.there.get(said.aim)) is None:
        return None if said.aim in found.held else Taken.NOBODY
    fields = StatusFields()
    if said.mail is not None:
        reading, fields = worst(read_mail(said.mail, addressee.email)), fields_of(said.mail, addressee.email)
    else:
        assert said.told is not None
        reading = of_subscriber(said.told, [said.recipient] if said.recipient else [], addressee.email)
    return rows.row(addressee, said.aim.written_at, reading, fields, way, installation.clock.now())


async def count(session: Session, installation: Installation, way: str, taken: Taken, number: int = 1) -> None:
    """Count what came in by a way today. Nothing else is kept of what leads nowhere, but the hour of the last."""
    await rows.count(session, installation.clock.now(), way, {taken.value: number})


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
