"""The pixel and the measured links, beside Litestar's hello world, which only greets: ours check the token, count, and
look up where a link leads. Each request is that of another reader.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlmodel import col, func, select

from benchmarks import serving, wrk
from benchmarks.homes import SQLITE, Home
from benchmarks.mailings import LINKS, schedule
from benchmarks.rounds import RATE, Figures, Run
from benchmarks.rows import Goal, Row
from newsletter.database import sync_engine
from newsletter.delivery import actions
from newsletter.delivery.tables import Mailing
from newsletter.installation import open_installation
from newsletter.measurement.links import click_token, open_token
from newsletter.measurement.tables import Count
from newsletter.tokens import new_nonce

_PEOPLE = 1_000
_READERS = 100_000


def ours(run: Run, kind: str = SQLITE, profile: Path | None = None, *, clicks: bool) -> Figures:
    """Ask for pixels, or follow links."""
    with run.homes.fresh(kind, _PEOPLE) as home:
        paths = _paths(home, asyncio.run(begin(home)), clicks=clicks)
        with serving.serving(home, profile) as server:
            figures = wrk.get(server.port, {"server": server.process.pid}, home.folder, paths, run.size(5, 1))
        _check(home, figures[RATE] * run.size(5, 1))
    return figures


def theirs(run: Run) -> Figures:
    """Ask to be greeted."""
    with run.homes.fresh(SQLITE, _PEOPLE) as home, serving.hello(home) as server:
        return wrk.get(server.port, {"server": server.process.pid}, home.folder, ["/"], run.size(5, 1))


async def begin(home: Home) -> str:
    """Let a mailing begin, so that there is something to count for; give its issue's id."""
    mailing_id = await asyncio.to_thread(schedule, home)
    installation = open_installation(home.settings)
    try:
        async with installation.database.write() as session:
            await actions.start_due(session, installation.clock)
            return (await session.get_one(Mailing, mailing_id)).issue_id
    finally:
        await installation.database.close()


def _paths(home: Home, issue_id: str, *, clicks: bool) -> list[str]:
    keys = home.settings.keyring()
    tokens = [open_token(keys, issue_id, new_nonce()) for _ in range(_READERS)]
    if clicks:
        return [f"/click/{click_token(token, number % LINKS)}" for number, token in enumerate(tokens)]
    return [f"/open/{token}.gif" for token in tokens]


def _check(home: Home, answered: float) -> None:
    """Raise where hits were answered and not counted."""
    engine = sync_engine(home.settings.database).execution_options(read_only=True)
    with engine.connect() as connection:
        counted = connection.execute(select(func.sum(col(Count.total)))).scalar_one() or 0
    engine.dispose()
    if counted < answered * 0.9:
        raise RuntimeError(f"of {answered:.0f} hits {counted} were counted")


def measure(run: Run) -> list[Row]:
    """Measure both beside the peer."""
    sides: dict[str, Callable[[], Figures]] = {
        "hello world": partial(theirs, run),
        "pixel": partial(ours, run, clicks=False),
        "click": partial(ours, run, clicks=True),
    }
    found = run.interleave("Pixel and click", sides)
    peer = found["hello world"]
    return [
        Row(
            benchmark=name,
            what=f"{name.capitalize()}, counted",
            peer="Litestar's hello world",
            unit="requests/s",
            ours=found[name].of(RATE),
            theirs=peer.of(RATE),
            goal=Goal(bound),
            details=found[name].details() | peer.details("hello world's "),
        )
        for name, bound in (("pixel", 1.5), ("click", 0.9))
    ]
