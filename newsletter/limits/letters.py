"""Whether a letter that a stranger may have caused is mailed: the one place where that is decided (RULES H1, H3).

The worker asks when it would mail the letter, so nobody who asked can see or time it. Too many to one address are
dropped without a word, whatever kind they are of; the request stays, and the link of the letter that did arrive works.
Too many to a domain, or in all, wait for their turn.

A letter that was let through once is not counted again, however often the relay says "later".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import SQLModel, col, select

from newsletter.database import Session, database_seconds, insert, table_of
from newsletter.installation import Installation
from newsletter.limits import actions, buckets
from newsletter.limits.actions import BUDGET, Kind
from newsletter.limits.buckets import Bucket
from newsletter.limits.rules import WEEK, Rate, another, past, turn
from newsletter.limits.tables import LimitAddress
from newsletter.limits.tagging import Tags, current
from newsletter.mail.outbox import Writer, WrittenLetter
from newsletter.mail.tables import Letter

_DROPPED_AT_ONCE = 1000
_ADDRESSES = table_of(LimitAddress)


@dataclass(frozen=True, slots=True)
class Caused:
    """A kind of letter that strangers can cause: by which column it names a row, and the table, with `canonical`, that
    the row is in. One that does not `wait` is counted, and leaves all the same.
    """

    by: str
    table: type[SQLModel]
    waits: bool = True


def limited(installation: Installation, caused: Caused, writer: Writer) -> Writer:
    """Give a writer that writes nothing beyond the limits."""
    if installation.settings.rate_limits == "off":
        return writer
    limits = _Limits(installation, caused)

    async def write(session: Session, letter: Letter) -> WrittenLetter | None:
        address = None if letter.counted or letter.bulk else await limits.address_of(session, letter)
        if address is None:
            return await writer(session, letter)
        tags = await current(session, installation)
        if not await limits.may_get(session, tags, address):
            await limits.drop(session, letter, address)
            return None
        taken = await limits.take(session, tags, address)
        if await limits.put_off(session, letter, taken):
            return None
        written = await writer(session, letter)
        if written is None:
            return None
        if not await limits.gets(session, tags, address):
            await actions.count(session, installation, {Kind.ADDRESS: 1})
            return None  # Another worker was faster.
        await limits.spend(session, taken)
        letter.counted = True
        return written

    return write


class _Limits:
    """The limits of a kind of letter. What is taken first is waited for first: buckets, then who the letter is about,
    then the letters to an address.
    """

    def __init__(self, installation: Installation, caused: Caused) -> None:
        settings = installation.settings
        self._installation = installation
        self._caused = caused
        self._most = settings.limit_address_hourly, settings.limit_address_weekly
        rates = {Kind.DOMAIN: Rate(settings.limit_domain), Kind.BUDGET: Rate(settings.limit_confirmations)}
        self._rates = {kind: rate for kind, rate in rates.items() if rate.most}

    def _now(self) -> float:
        return self._installation.clock.now().timestamp()

    async def address_of(self, session: Session, letter: Letter) -> str | None:
        """Give the address that a letter is to; None where that is settled."""
        about: Any = self._caused.table
        query = select(about.canonical).where(about.id == getattr(letter, self._caused.by))
        found: str | None = (await session.exec(query)).first()
        return found

    async def may_get(self, session: Session, tags: Tags, address: str) -> bool:
        """Say whether an address may get one more letter, as things are."""
        query = select(LimitAddress.times).where(col(LimitAddress.tag).in_(tags.of("address", address)))
        times = [at for each in (await session.exec(query)).all() for at in _read(each)]
        return another(times, self._now(), *self._most)

    async def gets(self, session: Session, tags: Tags, address: str) -> bool:
        """Count one more letter to an address, where it may get one; say whether it does. No other counts meanwhile."""
        own, *others = tags.of("address", address)
        query = select(LimitAddress.times).where(col(LimitAddress.tag).in_(others))
        older = (await session.exec(query)).all() if others else []
        statement = insert(session, _ADDRESSES).values(tag=own, times="", until=0.0)
        kept = statement.on_conflict_do_update(index_elements=["tag"], set_={"times": _ADDRESSES.c.times})
        mine = (await session.execute(kept.returning(_ADDRESSES.c.times))).scalar_one()
        times, now = [at for each in (*older, mine) for at in _read(each)], self._now()
        if not another(times, now, *self._most):
            return False
        # Those of an epoch before this one stay where they are.
        own_times = sorted([*past(_read(mine), now), now])[-max(*self._most, 1) :]
        values = {"times": " ".join(f"{at:.3f}" for at in own_times), "until": now + WEEK}
        await session.execute(update(_ADDRESSES).where(_ADDRESSES.c.tag == own).values(values))
        return True

    async def drop(self, session: Session, letter: Letter, address: str) -> None:
        """Drop whatever else of this kind waits for an address just now: one letter of a flood is looked at."""
        about: Any = self._caused.table
        names = col(getattr(Letter, self._caused.by))
        waiting = (
            select(Letter.id)
            .join(about, about.id == names)
            .where(about.canonical == address, col(Letter.id) != letter.id, col(Letter.kind) == letter.kind)
            .where(col(Letter.counted).is_(False), col(Letter.bulk).is_(False))
            .where(col(Letter.due_at) <= self._installation.clock.now(), col(Letter.leased_until) < database_seconds())
            .limit(_DROPPED_AT_ONCE)
            .with_for_update(skip_locked=True, of=Letter)
        )
        found = (await session.exec(waiting)).all()
        if found:
            await session.execute(delete(Letter).where(col(Letter.id).in_(found)))
        await actions.count(session, self._installation, {Kind.ADDRESS: 1 + len(found)})

    async def take(self, session: Session, tags: Tags, address: str) -> dict[Kind, Bucket]:
        """Give the buckets that a letter to an address counts in."""
        names = {Kind.DOMAIN: ("domain", address.rpartition("@")[2]), Kind.BUDGET: BUDGET}
        taken = await buckets.take(session, tags, [names[kind] for kind in self._rates]) if self._rates else {}
        return {kind: taken[names[kind]] for kind in self._rates}

    async def put_off(self, session: Session, letter: Letter, taken: Mapping[Kind, Bucket]) -> bool:
        """Let a letter wait for its turn, where one of its buckets is full; say whether it has to."""
        if not self._caused.waits:
            return False
        now, waited = self._now(), letter.due_at > letter.created_at
        turns = {
            kind: turn(self._rates[kind], bucket.until, bucket.tail, now, waited=waited)
            for kind, bucket in taken.items()
        }
        waiting = {kind: each for kind, each in turns.items() if each.at > now}
        if not waiting:
            return False
        for kind, each in waiting.items():
            taken[kind].tail = each.tail
        await buckets.write(session, [taken[kind] for kind in waiting])
        await actions.count(session, self._installation, dict.fromkeys(waiting, 1))
        letter.due_at = datetime.fromtimestamp(max(each.at for each in waiting.values()), UTC)
        return True

    async def spend(self, session: Session, taken: Mapping[Kind, Bucket]) -> None:
        """Count a letter in its buckets."""
        for kind, bucket in taken.items():
            rate = self._rates[kind]
            bucket.until = rate.since(bucket.until, self._now()) + rate.step
        await buckets.write(session, list(taken.values()))


def _read(times: str) -> list[float]:
    return [float(at) for at in times.split()]
