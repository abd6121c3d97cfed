"""How much came back, by day, domain and kind: counters for the console, which stay when people and reports go.

They are written in the transaction that lets a report be over, or that records a refusal of our own sending; so none is
lost and none comes twice. Few mails bear a sign of death, and only those are looked at. A domain is named where at
least five people subscribe with it just then, for a smaller one may be somebody's own.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Executable, String, delete, func
from sqlmodel import col, select

from newsletter.addresses import canonical
from newsletter.bounces.reading.verdicts import Verdict
from newsletter.bounces.reports.tables import CameBack
from newsletter.clock import day_of
from newsletter.database import Database, Session, insert_of, rows_of
from newsletter.installation import Installation
from newsletter.subscribers.tables import Subscriber

KEPT = timedelta(days=400)
SMALLER = ""
LETTERS = ""
FEWEST = 5
# Of a million people not all are looked at while mail is being sent: a domain that few of so many have is small there.
_MOST_ASKED = 10_000
# Nor are they asked for each window of a mailing.
_FRESH = timedelta(minutes=1)
_LONGEST_CODE = 12
_known: WeakKeyDictionary[Database, tuple[datetime, frozenset[str]]] = WeakKeyDictionary()


class Back(NamedTuple):
    """One that came back: of which mailing, None for a letter; to which address, None where that says nothing."""

    mailing_id: str | None
    email: str | None
    verdict: Verdict
    code: str | None


async def count(session: Session, installation: Installation, backs: Sequence[Back], *, at_once: bool = False) -> None:
    """Count what came back today. These rows are everybody's, and locked until the commit: so count late in it."""
    if not backs:
        return
    day, names = day_of(installation.clock.now()), await large(session, installation)
    counted: Counter[tuple[str, str, str, str]] = Counter()
    for back in backs:
        shown = domain if (domain := _domain(back.email)) in names else SMALLER
        counted[back.mailing_id or LETTERS, shown, back.verdict.value, (back.code or "")[:_LONGEST_CODE]] += 1
    rows = [
        {
            "day": day,
            "mailing_id": mailing_id,
            "domain": domain,
            "verdict": verdict,
            "code": code,
            "at_once": at_once,
            "count": number,
        }
        # In one order everywhere, so that no two transactions wait for each other.
        for (mailing_id, domain, verdict, code), number in sorted(counted.items())
    ]
    connection = await session.connection()
    await connection.execute(_adding(connection.dialect.name), rows)


async def large(session: Session, installation: Installation) -> frozenset[str]:
    """Give the domains with which at least `FEWEST` people subscribe, or did a minute ago.

    Where there are more than 10,000 people, the first so many are asked, by their addresses.
    """
    now = installation.clock.now()
    asked_at, known = _known.get(installation.database, (None, frozenset[str]()))
    if asked_at is None or not timedelta() <= now - asked_at < _FRESH:
        asked = select(Subscriber.canonical).order_by(col(Subscriber.canonical)).limit(_MOST_ASKED).subquery()
        domain = _domain_of(asked.c.canonical, session.get_bind().dialect.name)
        query = select(domain).group_by(domain).having(func.count() >= FEWEST)
        known = frozenset((await session.exec(query)).all())
        _known[installation.database] = now, known
    return known


async def count_expired(session: Session, installation: Installation) -> int:
    """Give how many of the counts are over."""
    return (await session.exec(select(func.count()).select_from(CameBack).where(_expired(installation)))).one()


async def purge_expired(session: Session, installation: Installation) -> int:
    """Delete the counts that are over; give how many."""
    return rows_of(await session.execute(delete(CameBack).where(_expired(installation))))


def _expired(installation: Installation) -> ColumnElement[bool]:
    return col(CameBack.day) < installation.clock.now() - KEPT


def _domain(email: str | None) -> str:
    return canonical(email).rpartition("@")[2] if email else SMALLER


def _domain_of(address: ColumnElement[Any], dialect: str) -> ColumnElement[str]:
    """Give the domain of an address within the database; an address that subscribes has one @."""
    if dialect == "sqlite":
        return func.substr(address, func.instr(address, "@") + 1, type_=String)
    return func.split_part(address, "@", 2, type_=String)


@lru_cache
def _adding(dialect: str) -> Executable:
    statement = insert_of(dialect, CameBack)
    keys = ["mailing_id", "day", "domain", "verdict", "code", "at_once"]
    added = {"count": CameBack.count + statement.excluded.count}
    adding: Executable = statement.on_conflict_do_update(index_elements=keys, set_=added)
    return adding
