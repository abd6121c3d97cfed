"""A signup over the API, with its agreement and its letter, beside a Litestar POST that writes one row in a transaction
of its own. Both are on the disk when they are answered.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from benchmarks import serving, wrk
from benchmarks.homes import SLUG
from benchmarks.rounds import RATE, Figures, Run
from benchmarks.rows import Goal, Row
from benchmarks.sending import NAMES
from newsletter.database import sync_engine
from newsletter.mail.tables import Letter

_PEOPLE = 1_000


def ours(run: Run, kind: str, profile: Path | None = None) -> Figures:
    """Sign up; raise where a letter is missing."""
    with run.homes.fresh(kind, _PEOPLE) as home:
        with serving.serving(home, profile) as server:
            path = f"/api/v1/newsletters/{SLUG}/signups"
            figures = wrk.post(server.port, {"server": server.process.pid}, home.folder, path, run.size(5, 1))
        engine = sync_engine(home.settings.database).execution_options(read_only=True)
        with engine.connect() as connection:
            letters = connection.execute(select(func.count()).select_from(Letter)).scalar_one()
        engine.dispose()
    if letters < figures[RATE] * run.size(5, 1) * 0.9:
        raise RuntimeError(f"only {letters} letters wait for their worker")
    return figures


def theirs(run: Run, kind: str) -> Figures:
    """Post to the peer."""
    with run.homes.fresh(kind, _PEOPLE) as home, serving.hello(home) as server:
        return wrk.post(server.port, {"server": server.process.pid}, home.folder, "/", run.size(5, 1))


def measure(run: Run) -> list[Row]:
    """Measure every database."""
    sides: dict[str, Callable[[], Figures]] = {}
    for kind in run.databases:
        sides |= {f"{kind}, bare": partial(theirs, run, kind), kind: partial(ours, run, kind)}
    found = run.interleave("Signup", sides)
    return [
        Row(
            benchmark=f"signup-{kind}",
            what=f"Signup with its letter, {NAMES[kind]}",
            peer="Litestar POST, one bare transaction",
            unit="requests/s",
            ours=found[kind].of(RATE),
            theirs=found[f"{kind}, bare"].of(RATE),
            goal=Goal(0.7),
            details=found[kind].details() | found[f"{kind}, bare"].details("the peer's "),
        )
        for kind in run.databases
    ]
