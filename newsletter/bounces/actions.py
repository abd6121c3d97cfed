"""What follows from a dead address: sending stops at once, and after a hold the person is deleted (RULES F3).

In between the circuit breaker may step in: then nobody is deleted until an editor has looked (RULES F4).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import col, select

from newsletter.addresses import canonical
from newsletter.agreements.ending import delete_person
from newsletter.bounces.rules import Tallied, is_dead, trips_breaker
from newsletter.bounces.tables import Tally
from newsletter.database import Session, insert
from newsletter.delivery.sending import Reported
from newsletter.installation import Installation
from newsletter.mail.smtp import OutcomeKind
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import DeadSignal, SignalState, Subscriber
from newsletter.tokens import Keyring

_TALLY_LIFE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Held:
    """The dead addresses of one domain that wait: for their hold to end, or for an editor."""

    domain: str
    domain_id: str
    count: int
    reason: str
    since: datetime
    state: str


def tag(keys: Keyring, kind: str, name: str) -> str:
    """Give the keyed tag under which a domain or a mailing is tallied."""
    return keys.tag("tally", f"{kind}/{name}".encode()).hex()


async def watch(installation: Installation, session: Session, reported: Sequence[Reported]) -> None:
    """Take note of what a window of a mailing brought: tally it, and stop sending to the dead.

    Runs in the transaction that records the results, so that no signal is lost and none comes twice.
    """
    now = installation.clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for report in reported:
        dead = is_dead(report.outcome)
        if not dead and report.outcome.kind is not OutcomeKind.DELIVERED:
            continue
        domain_tag = tag(installation.keys, "domain", canonical(report.email).rpartition("@")[2])
        for name in (domain_tag, tag(installation.keys, "mailing", report.mailing_id)):
            counted[name][int(dead)] += 1
        if dead:
            await _signal(session, report, domain_tag, now)
    for name, (accepted, dead_ones) in sorted(counted.items()):
        statement = insert(session, Tally).values(tag=name, hour=hour, accepted=accepted, dead=dead_ones)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["tag", "hour"],
                set_={
                    "accepted": Tally.accepted + statement.excluded.accepted,
                    "dead": Tally.dead + statement.excluded.dead,
                },
            )
        )


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


async def bury(session: Session, installation: Installation) -> int:
    """Delete those whose hold is over, unless the breaker is tripped; then quarantine them. Give how many were
    deleted.
    """
    now = installation.clock.now()
    held = select(DeadSignal).where(DeadSignal.state == SignalState.HELD).with_for_update(skip_locked=True)
    due = now - timedelta(seconds=installation.settings.dead_address_hold)
    buried = 0
    for signal in (await session.exec(held)).all():
        domain = await _tallied(session, signal.domain_tag, signal.at)
        mailing = await _tallied(session, tag(installation.keys, "mailing", signal.mailing_id or ""), signal.at)
        if trips_breaker(domain, small_domain=True) or trips_breaker(mailing, small_domain=False):
            signal.state = SignalState.QUARANTINED
        elif signal.at <= due:
            await _delete(session, signal.subscriber_id)
            buried += 1
    return buried


async def _tallied(session: Session, name: str, at: datetime) -> Tallied:
    hour = at.replace(minute=0, second=0, microsecond=0)
    query = select(func.coalesce(func.sum(Tally.accepted), 0), func.coalesce(func.sum(Tally.dead), 0)).where(
        Tally.tag == name, col(Tally.hour).between(hour - timedelta(hours=1), hour + timedelta(hours=1))
    )
    accepted, dead = (await session.exec(query)).one()
    return Tallied(int(accepted), int(dead))


async def _delete(session: Session, subscriber_id: str) -> None:
    subscriber = await session.get(Subscriber, subscriber_id)
    if subscriber is not None:
        await session.execute(delete(SignupRequest).where(col(SignupRequest.canonical) == subscriber.canonical))
        await delete_person(session, subscriber_id)


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


async def confirm(session: Session, domain_tag: str) -> None:
    """An editor says that a domain's addresses are dead: delete them."""
    for subscriber_id in (await session.exec(select(DeadSignal.subscriber_id).where(_quarantined(domain_tag)))).all():
        await _delete(session, subscriber_id)


def _quarantined(domain_tag: str) -> ColumnElement[bool]:
    return (col(DeadSignal.domain_tag) == domain_tag) & (col(DeadSignal.state) == SignalState.QUARANTINED)


async def purge_tallies(session: Session, installation: Installation) -> None:
    """Delete the tallies that no verdict needs any more."""
    await session.execute(delete(Tally).where(col(Tally.hour) < installation.clock.now() - _TALLY_LIFE))
