"""Which people of a slice are new here, who is subscribed already, and who must not come back (RULES H7, C4).

Nobody is brought back by a file: whoever left, objected, is suppressed, restricted their data or has a dead address is
withheld, and only counted, so that no report names them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import exists
from sqlmodel import col, select

from newsletter.agreements.traces import suppression, tags
from newsletter.database import Session
from newsletter.imports.reading.rows import NAMES, Person
from newsletter.imports.tables import Mode
from newsletter.installation import Installation
from newsletter.signup.tables import SignupRequest
from newsletter.subscribers.tables import DeadSignal, Subscriber, Subscription, SubscriptionState


class Here(NamedTuple):
    """A subscriber who is here already, with the details that are still empty."""

    subscriber_id: str
    empty: tuple[str, ...]


@dataclass(slots=True)
class Judged:
    """People to take, some of them subscribers of other newsletters; how many are subscribed already; and how many
    must not come back.
    """

    taken: list[Person] = field(default_factory=list)
    here: dict[str, Here] = field(default_factory=dict)
    known: int = 0
    withheld: int = 0


@dataclass(slots=True)
class _Found:
    subscriber_id: str
    empty: tuple[str, ...]
    untouchable: bool
    states: set[str]


async def judge(
    session: Session, installation: Installation, newsletter_id: str, mode: Mode, people: Sequence[Person]
) -> Judged:
    """Judge the people of a slice. Nothing is changed."""
    judged = Judged()
    found = await _here(session, newsletter_id, [person.canonical for person in people])
    waiting = await _waiting(session, newsletter_id, people) if mode is Mode.CONFIRM else set()
    for person in people:
        here = found.get(person.canonical)
        if person.canonical in waiting or (here and SubscriptionState.ACTIVE in here.states):
            judged.known += 1
        elif here and mode is not Mode.SUPPRESS and (here.untouchable or here.states):
            judged.withheld += 1
        else:
            judged.taken.append(person)
            if here:
                judged.here[person.canonical] = Here(here.subscriber_id, here.empty)
    if mode is not Mode.SUPPRESS and judged.taken:
        asked = [person.canonical for person in judged.taken]
        out = await suppression.suppressed(session, installation, asked, newsletter_id)
        judged.taken = [person for person in judged.taken if person.canonical not in out]
        judged.withheld += len(asked) - len(judged.taken)
    return judged


async def _here(session: Session, newsletter_id: str, canonicals: Sequence[str]) -> Mapping[str, _Found]:
    """Give what there is of these addresses, which go as one parameter: no address stands in an SQL text."""
    dead = exists().where(col(DeadSignal.subscriber_id) == col(Subscriber.id))
    query = (
        select(Subscriber, col(Subscription.state), dead)
        .outerjoin(
            Subscription,
            (col(Subscription.subscriber_id) == col(Subscriber.id))
            & (col(Subscription.newsletter_id) == newsletter_id),
        )
        .where(tags.among(session, Subscriber.canonical, canonicals))
    )
    found: dict[str, _Found] = {}
    for subscriber, state, is_dead in (await session.exec(query)).all():
        empty = tuple(name for name in NAMES if not getattr(subscriber, name))
        untouchable = bool(is_dead) or subscriber.restricted_at is not None
        one = found.setdefault(subscriber.canonical, _Found(subscriber.id, empty, untouchable, set()))
        if state:
            one.states.add(state)
    return found


async def _waiting(session: Session, newsletter_id: str, people: Sequence[Person]) -> set[str]:
    query = select(SignupRequest.canonical).where(
        SignupRequest.newsletter_id == newsletter_id,
        col(SignupRequest.confirmed_at).is_(None),
        tags.among(session, SignupRequest.canonical, [person.canonical for person in people]),
    )
    return {canonical for canonical in (await session.exec(query)).all() if canonical}
