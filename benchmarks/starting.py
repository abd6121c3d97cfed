"""The start of a mailing to 1,000,000: its audience is chosen, numbered and cut into blocks, beside a bare
INSERT..SELECT of as many rows into the same table, with no choosing and no blocks.
"""

import asyncio
from functools import partial

from sqlalchemy import func, insert, literal, select
from sqlmodel import col

from benchmarks.homes import SLUG, Home
from benchmarks.mailings import schedule
from benchmarks.memory import LARGE
from benchmarks.processes import CLOCK
from benchmarks.rounds import RATE, Figures, Run
from benchmarks.rows import Goal, Row
from benchmarks.sending import NAMES
from newsletter.database import Session
from newsletter.delivery import actions
from newsletter.delivery.tables import Delivery, Mailing
from newsletter.installation import open_installation
from newsletter.subscribers.tables import Subscription


def timed(run: Run, kind: str, people: int, *, bare: bool) -> Figures:
    """Give how many recipients a second are written down, the commit included."""
    with run.homes.fresh(kind, people) as home:
        mailing_id = schedule(home)
        seconds = asyncio.run(_start(home, mailing_id, bare=bare))
    return {RATE: people / seconds}


async def _start(home: Home, mailing_id: str, *, bare: bool) -> float:
    installation = open_installation(home.settings)
    try:
        await installation.database.ping()
        began = CLOCK.monotonic()
        async with installation.database.write() as session:
            if bare:
                await _copy(session, mailing_id, home.newsletters[SLUG])
            else:
                await actions.start_due(session, installation.clock)
        seconds = CLOCK.monotonic() - began
        async with installation.database.read() as session:
            written = (await session.execute(select(func.count()).select_from(Delivery))).scalar_one()
            audience = (await session.get_one(Mailing, mailing_id)).audience
    finally:
        await installation.database.close()
    if written != home.people or audience != (0 if bare else home.people):
        raise RuntimeError(f"{written} of {home.people} were written down")
    return seconds


async def _copy(session: Session, mailing_id: str, newsletter_id: str) -> None:
    number = func.row_number().over() - 1
    everybody = select(literal(mailing_id), number, col(Subscription.id)).where(
        col(Subscription.newsletter_id) == newsletter_id
    )
    await session.execute(insert(Delivery).from_select(["mailing_id", "number", "subscription_id"], everybody))


def measure(run: Run) -> list[Row]:
    """Measure every database."""
    people = run.size(LARGE, 20_000)
    sides = {
        f"{NAMES[kind]}{', bare' if bare else ''}": partial(timed, run, kind, people, bare=bare)
        for kind in run.databases
        for bare in (False, True)
    }
    found = run.interleave("Start of a mailing", sides)
    return [
        Row(
            benchmark=f"start-{kind}",
            what=f"Start of a mailing to {people:,}, {NAMES[kind]}",
            peer="a bare INSERT..SELECT",
            unit="recipients/s",
            ours=found[NAMES[kind]].of(RATE),
            theirs=found[f"{NAMES[kind]}, bare"].of(RATE),
            goal=Goal(0.5),
        )
        for kind in run.databases
    ]
