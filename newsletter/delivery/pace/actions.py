"""The paces that all workers share: how many of a window may leave now, and what its outcomes mean for the next one.

Each verb is one step of its caller's transaction. Where nothing is limited or slowed it costs one small select. Else
the rows are locked, all at once and sorted by tag, and then the day of the warm-up. So no two transactions wait for
each other as long as each calls one verb once, after all else that it locks; `turn` is all of them in one. The rows are
held until the commit, so that should come soon after. What is granted counts as sent unless it is given back: the
grants of a worker that dies are lost, and nobody is mailed faster for it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from newsletter.database import Session
from newsletter.delivery.pace import rows
from newsletter.delivery.pace.limits import DomainLimit, Limits
from newsletter.delivery.pace.rows import State, day_of, tag
from newsletter.delivery.pace.rules import concurrency
from newsletter.delivery.pace.sharing import SENDER, Sharing
from newsletter.delivery.pace.slowing import Tally, Trouble, troubles
from newsletter.installation import Installation
from newsletter.mail.wire.meters import Bucket, bucket, hourly_bucket
from newsletter.settings import Settings
from newsletter.tokens import Keyring

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Grant:
    """How many may leave now to each domain, when to come back for the others, and which domains are slowed how much.

    `again_at` is of the database's clock, and None where nobody is held back; `levels` has only those above 0.
    """

    domains: dict[str, int]
    again_at: float | None = None
    levels: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Business:
    """What is to be settled about a window, by domain: mails to leave, outcomes, and grants that were not used.

    The domains are as `mail.wire.relays.domain_of` gives them; `took` is the seconds in which the outcomes came in.
    """

    wanted: Counts = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    unused: Counts = field(default_factory=dict)
    took: float = 0.0


async def grant(session: Session, installation: Installation, sender_domain: str, wanted: Counts, now: float) -> Grant:
    """Say how many of the recipients in each domain may be mailed now, and count them as mailed."""
    return await turn(session, installation, sender_domain, Business(wanted), now)


async def note(
    session: Session,
    installation: Installation,
    sender_domain: str,
    tallies: Mapping[str, Tally],
    now: float,
    took: float = 0.0,
) -> None:
    """Slow down the domains that ask for it by their replies; `took` as in `Business`."""
    await turn(session, installation, sender_domain, Business(tallies=tallies, took=took), now)


async def give_back(
    session: Session, installation: Installation, sender_domain: str, unused: Counts, now: float
) -> None:
    """Take back what was granted for mails that did not leave."""
    await turn(session, installation, sender_domain, Business(unused=unused), now)


async def turn(
    session: Session, installation: Installation, sender_domain: str, business: Business, now: float
) -> Grant:
    """Take back, take note and grant, in this order and under the same locks. `now` is of the database's clock."""
    limits, found, day = Limits.of(installation.settings), troubles(business.tallies), day_of(now)
    paced = {each: limits.limit(each) for each in (*business.wanted, *found, *business.unused)}
    tags = await _concerned(session, installation.keys, paced, found, now)
    counts = bool(business.wanted or business.unused)
    if limits.hourly and counts:
        tags[SENDER] = tag(installation.keys, "sender", sender_domain)
    quota = limits.quota(sender_domain, day) if counts else None
    if not tags and quota is None:
        return Grant(dict(business.wanted))
    before = await rows.lock(session, tags)
    states = before | {
        paced[domain].name: _slowed(before[paced[domain].name], trouble, business, domain, now)
        for domain, trouble in found.items()
    }
    used = await rows.lock_day(session, sender_domain, day) if quota is not None else 0
    used = max(0, used - sum(business.unused.values()))
    day_left = None if quota is None else quota - used
    meters = {name: state.meter for name, state in states.items()}
    sharing = Sharing(_buckets(limits, paced, states, now), meters, day_left, now)
    granted = _settle(sharing, paced, business, _levels(paced, business.wanted, states, now))
    states = {name: replace(state, meter=meters[name]) for name, state in states.items()}
    await rows.write(session, {tags[name]: state for name, state in states.items() if state != before[name]})
    if quota is not None:
        await rows.write_day(session, sender_domain, day, used + sum(granted.domains.values()))
    return granted


async def count_idle(session: Session, now: float) -> int:
    """Give how many rows say nothing any more."""
    return await rows.count_idle(session, now)


async def forget_idle(session: Session, now: float) -> int:
    """Delete what says nothing any more: rows an hour after their last say, and the days of warm-ups long over.

    Give how many rows that were.
    """
    return await rows.forget_idle(session, now)


def caps(settings: Settings, grant: Grant, connections: int, workers: int) -> dict[str, int]:
    """Give how many of a worker's connections each domain of a grant may hold at once, where that is limited."""
    limits = Limits.of(settings)
    found = {}
    for domain in grant.domains:
        limit, level = limits.limit(domain), grant.levels.get(domain, 0)
        if limit.connections or level:
            found[domain] = concurrency(level, limit.connections, connections, workers)
    return found


async def _concerned(
    session: Session, keys: Keyring, paced: Mapping[str, DomainLimit], found: Collection[str], now: float
) -> dict[str, str]:
    """Give the tag of each pace whose row is to be locked, by its name."""
    names = {limit.name: tag(keys, "domain", limit.name) for limit in paced.values() if limit.rate}
    names |= {paced[domain].name: tag(keys, "domain", paced[domain].name) for domain in found}
    others = {limit.name for limit in paced.values()} - set(names)
    if not others or not (slowed := await rows.slowed(session, now)):
        return names
    return names | {name: each for name in others if (each := tag(keys, "domain", name)) in slowed}


def _settle(sharing: Sharing, paced: Mapping[str, DomainLimit], business: Business, levels: dict[str, int]) -> Grant:
    sharing.take_back(_by_name(paced, business.unused))
    asked = _by_name(paced, business.wanted)
    given = sharing.share(asked)
    return Grant(_handed_out(paced, business.wanted, given), sharing.queue(asked, given), levels)


def _slowed(state: State, trouble: Trouble, business: Business, domain: str, now: float) -> State:
    rate = business.tallies[domain].answered / business.took if business.took > 0 else 0.0
    return replace(state, slowness=state.slowness.after(trouble, now, rate))


def _buckets(
    limits: Limits, paced: Mapping[str, DomainLimit], states: Mapping[str, State], now: float
) -> dict[str, Bucket]:
    buckets = {}
    for limit in paced.values():
        if limit.name in states and (rate := states[limit.name].slowness.rate(limit.rate, now)):
            buckets[limit.name] = bucket(rate)
    return buckets | ({SENDER: hourly_bucket(limits.hourly)} if SENDER in states else {})


def _by_name(paced: Mapping[str, DomainLimit], counts: Counts) -> dict[str, int]:
    """Add up by the name of their pace what some domains share."""
    names: dict[str, int] = {}
    for domain, count in counts.items():
        names[paced[domain].name] = names.get(paced[domain].name, 0) + count
    return names


def _handed_out(paced: Mapping[str, DomainLimit], wanted: Counts, given: Counts) -> dict[str, int]:
    rest, domains = dict(given), {}
    for domain, count in wanted.items():
        name = paced[domain].name
        domains[domain] = min(count, rest[name])
        rest[name] -= domains[domain]
    return domains


def _levels(
    paced: Mapping[str, DomainLimit], wanted: Counts, states: Mapping[str, State], now: float
) -> dict[str, int]:
    levels = {name: state.slowness.level_at(now) for name, state in states.items()}
    return {domain: level for domain in wanted if (level := levels.get(paced[domain].name, 0))}
