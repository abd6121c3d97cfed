"""What follows from a dead address: sending stops at once, and after a hold the person is deleted (RULES F3).

In between the circuit breaker may step in: then nobody is deleted until an editor has looked (RULES F4).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, update
from sqlmodel import col, select

from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, erase_person, lock_person
from newsletter.bounces.rules import Tallied, trips_breaker
from newsletter.bounces.signals import tag
from newsletter.bounces.tables import Tally
from newsletter.database import Session, rows_of
from newsletter.installation import Installation
from newsletter.loops import AT_ONCE, Due
from newsletter.subscribers.tables import DeadSignal, SignalState, Subscriber

# A report counts for five days after its mail, and is held against what was accepted then.
TALLY_LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Held:
    """The dead addresses of one domain that wait: for their hold to end, or for an editor."""

    domain: str
    domain_id: str
    count: int
    reason: str
    since: datetime
    state: str


def when_due() -> tuple[Due, ...]:
    """Say whether any signal waits: for its hold to end, or for the breaker, which anything may trip."""
    return (select(AT_ONCE).select_from(DeadSignal).where(DeadSignal.state != SignalState.QUARANTINED).limit(1),)


async def due(session: Session, installation: Installation) -> list[str]:
    """Give the subscribers for whose dead signal something is due: an editor has confirmed it, the hold is over, or
    the breaker is tripped. For that they are looked at together whose signals it can't tell apart.
    """
    query = select(DeadSignal).where(DeadSignal.state != SignalState.QUARANTINED)
    over, found, tripped = _over(installation), [], dict[tuple[object, ...], bool]()
    for signal in (await session.exec(query.order_by(col(DeadSignal.subscriber_id)))).all():
        alike = (signal.domain_tag, signal.mailing_id, _hour(signal), signal.sent_on)
        if signal.state == SignalState.HELD and signal.at > over and alike not in tripped:
            tripped[alike] = await _breaker(session, installation, signal)
        if signal.state == SignalState.CONFIRMED or signal.at <= over or tripped[alike]:
            found.append(signal.subscriber_id)
    return found


async def settle(session: Session, installation: Installation, subscriber_id: str) -> bool:
    """Delete a subscriber whose hold is over or whom an editor has confirmed, or quarantine the signal where the
    breaker is tripped; say whether the subscriber was deleted.

    One at a time, each in a transaction of its own: nobody who signs up or leaves has to wait for many.
    """
    signal = await session.get(DeadSignal, subscriber_id)
    if signal is None or signal.state == SignalState.QUARANTINED:
        return False
    if signal.state == SignalState.CONFIRMED:
        return await _bury(session, installation, subscriber_id, SignalState.CONFIRMED)
    if await _breaker(session, installation, signal):
        held = (col(DeadSignal.subscriber_id) == subscriber_id) & (col(DeadSignal.state) == SignalState.HELD)
        await session.execute(update(DeadSignal).where(held).values(state=SignalState.QUARANTINED))
        return False
    is_over = signal.at <= _over(installation)
    return is_over and await _bury(session, installation, subscriber_id, SignalState.HELD)


def _over(installation: Installation) -> datetime:
    """Give the time since which a hold lasts."""
    return installation.clock.now() - timedelta(seconds=installation.settings.dead_address_hold)


def _hour(signal: DeadSignal) -> datetime:
    return signal.at.replace(minute=0, second=0, microsecond=0)


async def _breaker(session: Session, installation: Installation, signal: DeadSignal) -> bool:
    domain = await _tallied(session, signal.domain_tag, signal)
    mailing = await _tallied(session, tag(installation.keys, "mailing", signal.mailing_id or ""), signal)
    return any(trips_breaker(tally, small_domain=True) for tally in domain) or any(
        trips_breaker(tally, small_domain=False) for tally in mailing
    )


async def _tallied(session: Session, name: str, signal: DeadSignal) -> list[Tallied]:
    """Give what happened around a signal: in its hour of the clock, and in that with the one before or after."""
    hour = _hour(signal)
    before, after = hour - timedelta(hours=1), hour + timedelta(hours=1)
    query = select(Tally).where(Tally.tag == name, col(Tally.hour).between(before, after))
    found = {tally.hour: tally for tally in (await session.exec(query)).all()}
    hours = [[found[hour]] if hour in found else []]
    hours += [[*hours[0], found[other]] for other in (before, after) if other in found]
    told = [_told(some) for some in hours]
    if signal.sent_on is None:
        return told
    arrived = await _arrived_since(session, name, signal.sent_on)
    return [*told, *(_told(some, arrived) for some in hours)]


def _told(some: Sequence[Tally], arrived: int | None = None) -> Tallied:
    """Add up some hours: what was refused, against what was accepted in them; or, with `arrived`, what was refused and
    what came back, against what arrived.
    """
    dead = sum(tally.dead for tally in some)
    if arrived is None:
        return Tallied(sum(tally.accepted for tally in some), dead)
    return Tallied(arrived, dead + sum(tally.bounced for tally in some))


async def _arrived_since(session: Session, name: str, day: datetime) -> int:
    """Give how many were accepted since that day and have not come back: a report comes long after its mail."""
    arrived = func.coalesce(func.sum(col(Tally.accepted) - col(Tally.bounced)), 0)
    query = select(arrived).where(Tally.tag == name, col(Tally.hour) >= day)
    return max(0, int((await session.exec(query)).one()))


async def _bury(session: Session, installation: Installation, subscriber_id: str, state: SignalState) -> bool:
    """Delete a subscriber whose signal still stands, with what that address asked for and has not confirmed.

    Who had the processing restricted is kept as long as that lasts (GDPR art. 18).
    """
    person = await lock_person(session, subscriber_id)
    # Looked at behind the locks, for a confirmation shows that the mailbox is alive.
    signal = await session.get(DeadSignal, subscriber_id, populate_existing=True)
    if person is None or person.restricted_at is not None or signal is None or signal.state != state:
        return False
    return await erase_person(session, installation, subscriber_id, Cause.DEAD, Origin("system", "bounce"))


async def held(session: Session) -> list[Held]:
    """Give the dead addresses that wait, by domain and state."""
    query = select(DeadSignal, Subscriber.canonical).join(
        Subscriber, col(Subscriber.id) == col(DeadSignal.subscriber_id)
    )
    groups: dict[tuple[str, str], list[tuple[DeadSignal, str]]] = defaultdict(list)
    for signal, address in (await session.exec(query)).all():
        groups[signal.domain_tag, signal.state].append((signal, address))
    return [
        Held(
            domain=group[0][1].rpartition("@")[2],
            domain_id=domain_tag,
            count=len(group),
            reason=", ".join(sorted({signal.enhanced for signal, _ in group})),
            since=min(signal.at for signal, _ in group),
            state=state,
        )
        for (domain_tag, state), group in sorted(groups.items())
    ]


async def release(session: Session, domain_tag: str) -> int:
    """An editor says that a domain's addresses live: mail them again; give how many."""
    return rows_of(await session.execute(delete(DeadSignal).where(_quarantined(domain_tag))))


async def confirm(session: Session, domain_tag: str) -> int:
    """An editor says that a domain's addresses are dead: a worker is to delete them; give how many."""
    confirmed = update(DeadSignal).where(_quarantined(domain_tag)).values(state=SignalState.CONFIRMED)
    return rows_of(await session.execute(confirmed))


def _quarantined(domain_tag: str) -> ColumnElement[bool]:
    return (col(DeadSignal.domain_tag) == domain_tag) & (col(DeadSignal.state) == SignalState.QUARANTINED)


async def count_tallies(session: Session, installation: Installation) -> int:
    """Give how many tallies no verdict needs any more."""
    old = col(Tally.hour) < installation.clock.now() - TALLY_LIFE
    return (await session.exec(select(func.count()).select_from(Tally).where(old))).one()


async def purge_tallies(session: Session, installation: Installation) -> int:
    """Delete the tallies that no verdict needs any more; give how many."""
    old = col(Tally.hour) < installation.clock.now() - TALLY_LIFE
    return rows_of(await session.execute(delete(Tally).where(old)))
