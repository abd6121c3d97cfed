"""The events of agreements on their way into the chain of their newsletter (decision 12).

Nobody waits for a chain: one batch at a time, by whichever worker holds the lock, takes the events that are due, and
what was erased meanwhile. An event enters with a leaf that only its agreement's salt can make again. An erasure is an
entry that names the numbers it blinds; events that were not chained yet just go.

An event or an erasure whose seal is not ours is left out, for `agreements verify` to report.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, text
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from newsletter.agreements.proof import adopting, sealing
from newsletter.agreements.tables import (
    DUE,
    REFUSED,
    Agreement,
    AgreementBlinding,
    AgreementEvent,
    EventKind,
)
from newsletter.chain import actions as chain
from newsletter.chain import heads
from newsletter.chain.heads_file import HeadsFile
from newsletter.chain.rules import ERASURE, EVENT
from newsletter.database import Session, table_of
from newsletter.installation import Installation
from newsletter.loops import AT_ONCE, Due
from newsletter.newsletters.tables import Newsletter
from newsletter.tokens import new_id

_EVENTS = table_of(AgreementEvent)
_AGREEMENTS = table_of(Agreement)
_AGREED_OF: Callable[[Any], tuple[Any, ...]] = itemgetter(*(f"a_{name}" for name in sealing.AGREED))
_PREFIX = "agreements/"
_BATCH = 2_000
_LOOK_SECONDS = 60
_LOCK = 0x6E6577736C636861  # "newslcha": the advisory lock that whoever chains holds
_PLACE = "UPDATE agreement_event SET position = ? WHERE id = ?"
_PLACE_ALL = text(
    "UPDATE agreement_event SET position = placed.position"
    " FROM unnest(CAST(:ids AS varchar[]), CAST(:positions AS bigint[])) AS placed (id, position)"
    " WHERE agreement_event.id = placed.id"
)
_ORDER: dict[str, int] = {kind: place for place, kind in enumerate(EventKind)}


class Chaining:
    """The loop of a worker that chains what is due and signs the heads."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._file = HeadsFile(installation.settings.heads)
        self._looked: float | None = None

    async def work(self) -> None:
        """Chain all that is due; then sign the heads, also once a minute where another worker did the chaining."""
        chained = False
        if self._looked is None:
            await adopting.adopt(self._installation, self._file)
        while await chain_due(self._installation):
            chained = True
        now = self._installation.clock.monotonic()
        if chained or self._looked is None or now - self._looked >= _LOOK_SECONDS:
            await heads.sign_heads(self._installation, self._file)
            self._looked = now


def chain_of(newsletter_id: str) -> str:
    """Give the name of a newsletter's chain."""
    return f"{_PREFIX}{newsletter_id}"


def newsletter_of(chain_name: str) -> str:
    """Give the id of the newsletter whose chain that is; empty for the chain of something else."""
    return chain_name.removeprefix(_PREFIX) if chain_name.startswith(_PREFIX) else ""


async def blind(session: Session, installation: Installation, agreement_ids: Sequence[str]) -> None:
    """Note that the chained events of these agreements are about to be erased; call it before the DELETE.

    The next batch makes it an entry of the chain.
    """
    found = await session.exec(
        select(AgreementEvent.newsletter_id, AgreementEvent.position)
        .where(col(AgreementEvent.agreement_id).in_(agreement_ids))
        # One that is being chained just now has its number when it is free.
        .with_for_update()
    )
    numbers = defaultdict(list)
    for newsletter_id, position in found.all():
        if position is not None and position > DUE:
            numbers[newsletter_id].append(position)
    for newsletter_id, theirs in numbers.items():
        written = json.dumps(sorted(theirs))
        seal = sealing.seal_blinding(installation.keys, newsletter_id, written)
        session.add(AgreementBlinding(id=new_id(), newsletter_id=newsletter_id, numbers=written, seal=seal))
    await session.flush()


async def note_restore(session: Session, installation: Installation) -> None:
    """Note in every chain that this database was restored, so that the signed heads may go on from a lower count."""
    await heads.note_restore(session, installation)


async def chain_due(installation: Installation) -> int:
    """Chain one batch of what is due; give how many rows it took, 0 where nothing is due or another worker is at it."""

    async def batch(session: Session) -> int:
        if session.get_bind().dialect.name == "postgresql":
            free = await session.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK})
            if not free.scalar_one():
                return 0
        return sum([await _chain_newsletter(session, installation, one) for one in await _with_due(session)])

    return await installation.database.write_at_once(batch) if await _is_anything_due(installation) else 0


async def _is_anything_due(installation: Installation) -> bool:
    async with installation.database.read() as session:
        return bool(await _with_due(session))


def when_due() -> tuple[Due, ...]:
    """Say whether an event or an erasure is not chained yet."""
    return (select(AT_ONCE).select_from(Newsletter).where(_has_due()).limit(1),)


def _has_due() -> ColumnElement[bool]:
    due = exists().where(col(AgreementEvent.newsletter_id) == col(Newsletter.id), col(AgreementEvent.position) == DUE)
    erased = exists().where(col(AgreementBlinding.newsletter_id) == col(Newsletter.id))
    return due | erased


async def _with_due(session: Session) -> Sequence[str]:
    return (await session.exec(select(Newsletter.id).where(_has_due()).order_by(Newsletter.id))).all()


async def _chain_newsletter(session: Session, installation: Installation, newsletter_id: str) -> int:
    return await _chain_events(session, installation, newsletter_id) + await _chain_erasures(
        session, installation, newsletter_id
    )


async def _chain_events(session: Session, installation: Installation, newsletter_id: str) -> int:
    query = with_agreements().where(_EVENTS.c.newsletter_id == newsletter_id, _EVENTS.c.position == DUE).limit(_BATCH)
    # One that is being erased just now is left alone: then it was never chained.
    rows = (await session.execute(query.with_for_update(of=_EVENTS, skip_locked=True))).mappings().all()
    ours: list[tuple[Any, int, str, str]] = []
    refused: list[tuple[str, int]] = []
    known: dict[str, str] = {}
    for row in rows:
        content = content_of(row, known)
        there = row["a_newsletter_id"] == newsletter_id
        if there and sealing.is_sealed_event(installation.keys, content, row["seal"]):
            leaf = sealing.leaf(row["a_salt"], content)
            ours.append((row["at"], _ORDER.get(row["kind"], 0), row["id"], leaf))
        else:
            refused.append((row["id"], REFUSED))
    ours.sort()
    first = await chain.append(session, installation, chain_of(newsletter_id), EVENT, [leaf for *_, leaf in ours])
    placed = [(event_id, number) for number, (_, _, event_id, _) in enumerate(ours, first)]
    await _place(session, placed + refused)
    return len(rows)


async def _place(session: Session, placed: Sequence[tuple[str, int]]) -> None:
    if not placed:
        return
    if session.get_bind().dialect.name == "postgresql":
        ids, positions = zip(*placed, strict=True)
        await session.execute(_PLACE_ALL, {"ids": list(ids), "positions": list(positions)})
        return
    connection = await session.connection()
    await connection.exec_driver_sql(_PLACE, [(number, event_id) for event_id, number in placed])


async def _chain_erasures(session: Session, installation: Installation, newsletter_id: str) -> int:
    query = select(AgreementBlinding).where(AgreementBlinding.newsletter_id == newsletter_id).limit(_BATCH)
    found = (await session.exec(query.with_for_update(skip_locked=True))).all()
    ours = [one for one in found if sealing.is_sealed_blinding(installation.keys, newsletter_id, one.numbers, one.seal)]
    if ours:
        # All together: what went at about the same time is one entry, and not one for each person.
        numbers = sorted(number for one in ours for number in json.loads(one.numbers))
        await chain.append(session, installation, chain_of(newsletter_id), ERASURE, [None], json.dumps(numbers))
        await session.execute(delete(AgreementBlinding).where(col(AgreementBlinding.id).in_([one.id for one in ours])))
    return len(ours)


def with_agreements() -> Any:
    """Give the query for events with what their agreements hold, whose columns begin with `a_`."""
    of_agreement = [
        _AGREEMENTS.c[name].label(f"a_{name}") for name in (*sealing.AGREED, "subscription_id", "salt", "seal")
    ]
    return select_rows(_EVENTS, *of_agreement).join(_AGREEMENTS, _AGREEMENTS.c.id == _EVENTS.c.agreement_id)


def content_of(row: Any, known: dict[str, str]) -> str:
    """Give the content of an event of that query; `known` keeps the hashes of agreements for the next one."""
    agreed = known.get(row["agreement_id"])
    if agreed is None:
        agreed = known[row["agreement_id"]] = sealing.hash_of(agreed_content(row))
    return sealing.happened(row, agreed, row["a_subscription_id"])


def agreed_content(row: Any) -> str:
    """Give the content of the agreement of an event of that query."""
    return sealing.agreed_of(_AGREED_OF(row))
