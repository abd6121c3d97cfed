"""What follows from a dead address: sending stops at once, and after a hold the person is deleted (RULES F3).

In between the circuit breaker may step in: then nobody is deleted until an editor has looked (RULES F4).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import ColumnElement, Executable, delete, func, update
from sqlmodel import col, select

from newsletter.addresses import canonical
from newsletter.agreements.actions import Origin
from newsletter.agreements.ending import Cause, erase_person, lock_person
from newsletter.bounces.rules import Tallied, is_dead, trips_breaker
from newsletter.bounces.tables import Tally
from newsletter.database import Session, insert, insert_of, rows_of
from newsletter.delivery.sending import Reported
from newsletter.installation import Installation
from newsletter.mail.smtp import Outcome, OutcomeKind
from newsletter.mail.tables import Letter
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import DeadSignal, SignalState, Subscriber, Subscription
from newsletter.tokens import Keyring

TALLY_LIFE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Held:
    """The dead addresses of one domain that wait: for their hold to end, or for an editor."""

    domain: str
    domain_id: str
    count: int
    reason: str
    since: datetime
    state: str


@lru_cache(maxsize=4096)
def tag(keys: Keyring, kind: str, name: str) -> str:
    """Give the keyed tag under which a domain or a mailing is tallied."""
    return keys.tag("tally", f"{kind}/{name}".encode()).hex()


def _domain_tag(keys: Keyring, email: str) -> str:
    return tag(keys, "domain", canonical(email.rpartition("@")[2]))


async def watch(installation: Installation, session: Session, reported: Sequence[Reported]) -> None:
    """Take note of what a window of a mailing brought: tally it, and stop sending to the dead.

    Runs in the transaction that records the results, so that no signal is lost and none comes twice.
    """
    now = installation.clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    dead: list[Reported] = []
    for report in reported:
        is_dead_now = is_dead(report.outcome)
        if is_dead_now:
            dead.append(report)
        elif report.outcome.kind is not OutcomeKind.DELIVERED:
            continue
        counted[_domain_tag(installation.keys, report.email)][is_dead_now] += 1
        if report.mailing_id is not None:
            counted[tag(installation.keys, "mailing", report.mailing_id)][is_dead_now] += 1
    # In one order everywhere, so that two mailings with the same dead can't each wait for the other.
    for report in sorted(dead, key=lambda report: report.subscriber_id):
        await _signal(session, report, _domain_tag(installation.keys, report.email), now)
    if counted:
        rows = [
            {"tag": name, "hour": hour, "accepted": accepted, "dead": dead_ones}
            for name, (accepted, dead_ones) in sorted(counted.items())
        ]
        connection = await session.connection()
        await connection.execute(_tallying(connection.dialect.name), rows)


@lru_cache
def _tallying(dialect: str) -> Executable:
    statement = insert_of(dialect, Tally)
    added = {
        "accepted": Tally.accepted + statement.excluded.accepted,
        "dead": Tally.dead + statement.excluded.dead,
    }
    adding: Executable = statement.on_conflict_do_update(index_elements=["tag", "hour"], set_=added)
    return adding


async def watch_letter(installation: Installation, session: Session, letter: Letter, outcome: Outcome) -> None:
    """Take note of a refused letter: forget the request that its address can't confirm, stop sending to the dead.

    Whoever is subscribed already and is told so counts too, but only at the very spelling they gave: what a stranger
    typed says nothing about them.
    """
    if not is_dead(outcome):
        return
    theirs: ColumnElement[bool]
    if letter.subscription_id is not None:
        theirs = col(Subscriber.id).in_(
            select(Subscription.subscriber_id).where(Subscription.id == letter.subscription_id)
        )
    elif letter.request_id is not None:
        request = await session.get(SignupRequest, letter.request_id, with_for_update=True)
        if request is None or request.confirmed_at is not None:
            return
        theirs = col(Subscriber.email) == request.email
        await session.delete(request)
    else:
        return
    subscriber = (await session.exec(select(Subscriber).where(theirs))).first()
    if subscriber is not None and await session.get(DeadSignal, subscriber.id) is None:
        await watch(installation, session, [Reported(None, subscriber.id, subscriber.email, outcome)])


async def _signal(session: Session, report: Reported, domain_tag: str, now: datetime) -> None:
    # The person may have left while the mail was on its way.
    alive = await session.exec(select(Subscriber.id).where(Subscriber.id == report.subscriber_id).with_for_update())
    if alive.first() is None:
        return
    values = {
        "subscriber_id": report.subscriber_id,
        "mailing_id": report.mailing_id,
        "domain_tag": domain_tag,
        "enhanced": report.outcome.enhanced,
        "state": SignalState.HELD,
        "at": now,
    }
    await session.execute(insert(session, DeadSignal).values(values).on_conflict_do_nothing())


async def waiting(session: Session) -> list[str]:
    """Give the subscribers whose dead signal is held."""
    query = select(DeadSignal.subscriber_id).where(DeadSignal.state == SignalState.HELD)
    return list((await session.exec(query.order_by(col(DeadSignal.subscriber_id)))).all())


async def settle(session: Session, installation: Installation, subscriber_id: str) -> bool:
    """Delete a subscriber whose hold is over, or quarantine the signal where the breaker is tripped; say whether the
    subscriber was deleted.

    One at a time, each in a transaction of its own: nobody who signs up or leaves has to wait for many.
    """
    signal = await session.get(DeadSignal, subscriber_id)
    if signal is None or signal.state != SignalState.HELD:
        return False
    if await _breaker(session, installation, signal):
        held = (col(DeadSignal.subscriber_id) == subscriber_id) & (col(DeadSignal.state) == SignalState.HELD)
        await session.execute(update(DeadSignal).where(held).values(state=SignalState.QUARANTINED))
        return False
    due = installation.clock.now() - timedelta(seconds=installation.settings.dead_address_hold)
    return signal.at <= due and await _bury(session, installation, subscriber_id, SignalState.HELD)


async def _breaker(session: Session, installation: Installation, signal: DeadSignal) -> bool:
    domain = await _tallied(session, signal.domain_tag, signal.at)
    mailing = await _tallied(session, tag(installation.keys, "mailing", signal.mailing_id or ""), signal.at)
    return any(trips_breaker(tally, small_domain=True) for tally in domain) or any(
        trips_breaker(tally, small_domain=False) for tally in mailing
    )


async def _tallied(session: Session, name: str, at: datetime) -> list[Tallied]:
    """Give what happened around `at`: in its hour of the clock, and in that with the one before or after."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    before, after = hour - timedelta(hours=1), hour + timedelta(hours=1)
    query = select(Tally).where(Tally.tag == name, col(Tally.hour).between(before, after))
    found = {tally.hour: Tallied(tally.accepted, tally.dead) for tally in (await session.exec(query)).all()}
    now = found.get(hour, Tallied(0, 0))
    return [now, *(now + found[other] for other in (before, after) if other in found)]


async def _bury(session: Session, installation: Installation, subscriber_id: str, state: SignalState) -> bool:
    """Delete a subscriber whose signal still stands, with what that address asked for and has not confirmed."""
    person = await lock_person(session, subscriber_id)
    # Looked at behind the locks, for a confirmation shows that the mailbox is alive.
    signal = await session.get(DeadSignal, subscriber_id, populate_existing=True)
    if person is None or signal is None or signal.state != state:
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


async def release(session: Session, domain_tag: str) -> None:
    """An editor says that a domain's addresses live: mail them again."""
    await session.execute(delete(DeadSignal).where(_quarantined(domain_tag)))


async def confirm(session: Session, installation: Installation, domain_tag: str) -> None:
    """An editor says that a domain's addresses are dead: delete them."""
    query = select(DeadSignal.subscriber_id).where(_quarantined(domain_tag)).order_by(col(DeadSignal.subscriber_id))
    for subscriber_id in (await session.exec(query)).all():
        await _bury(session, installation, subscriber_id, SignalState.QUARANTINED)


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
