"""Counting hits, in groups, without their order.

A hit waits in memory for at most a second and is then written together with the others, in the order of their marks,
which is as good as random. What is stored of it is a mark under the issue's destroyable key, which only tells whether
this nonce was here before, and numbers by hour.
Until the mailing is finished or cancelled the hour is left out: it could be held against the order of delivery, of
retries too.
"""

import asyncio
import hmac
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import delete
from sqlalchemy import insert as plain_insert
from sqlmodel import col, select

from newsletter.clock import Clock, day_of
from newsletter.database import Database, Session, insert
from newsletter.measurement import statements
from newsletter.measurement.links import ANY_LINK, OPEN, Hit
from newsletter.measurement.rules import Verdict
from newsletter.measurement.tables import MeasurementKey, Seen
from newsletter.tokens import new_secret

WHILE_SENDING = datetime(1970, 1, 1, tzinfo=UTC)
_FULL = 50_000
# So many are reckoned in one go, then whoever else waits has a turn.
_AT_ONCE = 500
# A link and who followed it.
_Slot = tuple[int, Verdict]


async def prepare(session: Session, issue_id: str) -> None:
    """Make the key under which the hits of an issue will be marked."""
    values = {"issue_id": issue_id, "key": new_secret()}
    await session.execute(insert(session, MeasurementKey).values(values).on_conflict_do_nothing())


async def begin_hours(session: Session, clock: Clock, issue_id: str) -> bool:
    """From now on keep the hour of a hit: the mailing is over, nothing leaves any more, so it tells nothing of whom.

    Say whether that is new; then the order of the marks so far was lost, too (see `lose_order`).
    """
    key = await session.get(MeasurementKey, issue_id, with_for_update=True)
    if key is None or key.hours_from is not None:
        return False
    key.hours_from = day_of(clock.now())
    await lose_order(session, issue_id)
    return True


async def leave_out_hours(session: Session, issue_id: str) -> None:
    """From now on keep no hour of a hit again: a few get the issue anew, and their hours would tell of them."""
    key = await session.get(MeasurementKey, issue_id, with_for_update=True)
    if key is not None:
        key.hours_from = None


async def lose_order(session: Session, issue_id: str) -> None:
    """Write the marks of an issue anew, in the order of their bytes.

    Databases keep the order in which rows came (PostgreSQL's xmin and ctid, SQLite within a page), and that order could
    be held against the order of delivery.
    """
    await session.get(MeasurementKey, issue_id, with_for_update=True)
    marks = sorted((await session.exec(select(Seen.mark).where(Seen.issue_id == issue_id))).all())
    await session.execute(delete(Seen).where(col(Seen.issue_id) == issue_id))
    if marks:
        await session.execute(plain_insert(Seen), [{"issue_id": issue_id, "mark": mark} for mark in marks])


async def forget_marks(session: Session, issue_id: str) -> None:
    """Destroy the key and the marks of an issue; its counters stay (DESIGN §6)."""
    await session.execute(delete(Seen).where(col(Seen.issue_id) == issue_id))
    await session.execute(delete(MeasurementKey).where(col(MeasurementKey.issue_id) == issue_id))


class Counting:
    """The hits of this process on their way into the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[tuple[Hit, Verdict]] = []
        self._writing = asyncio.Lock()

    def add(self, hit: Hit, verdict: Verdict) -> None:
        """Take a hit; it is counted at the next `write`. In a flood beyond counting, hits are dropped."""
        if len(self._waiting) < _FULL:
            self._waiting.append((hit, verdict))

    async def write(self) -> None:
        """Count what waits, in one transaction. If that fails it waits on."""
        async with self._writing:
            if not self._waiting:
                return
            taken, self._waiting = self._waiting, []
            try:
                async with self._database.write() as session:
                    await self._count(session, taken)
            except BaseException:
                self._waiting = taken + self._waiting
                raise

    async def _count(self, session: Session, taken: Sequence[tuple[Hit, Verdict]]) -> None:
        of_issues: dict[str, list[tuple[Hit, Verdict]]] = {}
        for one in taken:
            of_issues.setdefault(one[0].issue_id, []).append(one)
        this_hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        for key in await _keys(session, sorted(of_issues)):
            totals, marks = await _reckon(key.key, of_issues[key.issue_id])
            # In the order of their bytes: that has nothing to do with the order in which they came, and two processes
            # that store the same marks can't each wait for the other.
            fresh = await statements.store(session, key.issue_id, sorted(marks))
            firsts = Counter(marks[mark] for mark in fresh)
            hour = WHILE_SENDING if key.hours_from is None else this_hour
            await statements.add(session, [_row(key.issue_id, slot, hour, totals, firsts) for slot in sorted(totals)])


async def _reckon(key: str, hits: Sequence[tuple[Hit, Verdict]]) -> tuple[Counter[_Slot], dict[bytes, _Slot]]:
    """Give how often each link was followed and by whom, and the marks, each with what it is the mark of."""
    totals: Counter[_Slot] = Counter()
    marks: dict[bytes, _Slot] = {}
    for start in range(0, len(hits), _AT_ONCE):
        for hit, verdict in hits[start : start + _AT_ONCE]:
            for link in (OPEN,) if hit.link == OPEN else (hit.link, ANY_LINK):
                slot = (link, verdict)
                totals[slot] += 1
                marks.setdefault(_mark(key, hit.nonce, link, verdict), slot)
        await asyncio.sleep(0)
    return totals, marks


def _mark(key: str, nonce: bytes, link: int, verdict: Verdict) -> bytes:
    who = b"person" if verdict is Verdict.HUMAN else b"machine"
    return hmac.digest(key.encode(), b"%b/%d/%b" % (nonce, link, who), "sha256")[:16]


def _row(
    issue_id: str, slot: _Slot, hour: datetime, totals: Mapping[_Slot, int], firsts: Mapping[_Slot, int]
) -> dict[str, object]:
    link, verdict = slot
    total, first = totals[slot], firsts.get(slot, 0)
    return {"issue_id": issue_id, "link": link, "verdict": verdict, "hour": hour, "total": total, "first": first}


async def _keys(session: Session, issues: Sequence[str]) -> Sequence[MeasurementKey]:
    # Locked, so that `begin_hours` falls either before or after the whole group, on PostgreSQL too.
    query = select(MeasurementKey).where(col(MeasurementKey.issue_id).in_(issues)).with_for_update(read=True)
    return (await session.exec(query.order_by(col(MeasurementKey.issue_id)))).all()
