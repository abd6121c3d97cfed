"""A mailing, sent by real workers: begun as the API does it, and followed in the ledger."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, func, select
from sqlmodel import col

from benchmarks.homes import SLUG, Home
from benchmarks.ports import wait_for
from benchmarks.processes import Process, ProcessEnded, Usage, Watch
from benchmarks.sinks import Sink
from newsletter.database import sync_engine
from newsletter.delivery import actions
from newsletter.delivery.tables import Block
from newsletter.hearts import Heartbeat
from newsletter.installation import open_installation
from newsletter.issues import actions as issues

LINKS = 10
_BEGIN_SECONDS, _POLL_SECONDS = 60, 0.03
_FREEZE_SECONDS = 1 / 5_000  # for each recipient, at most
_STUCK_SECONDS = 90  # longer than a lease
_SUBJECT = "What came of the stories"
BODY = "Hello {{ given_name }},\n\n" + "\n".join(
    f"* [Story number {number}](https://www.example.com/stories/{number}), and what came of it in the end"
    for number in range(1, LINKS + 1)
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What was used from the first lease to the last result, and the most memory that a worker ever held."""

    usage: Usage
    peak_bytes: int


def schedule(home: Home, slug: str = SLUG) -> str:
    """Write an issue and let it be mailed at once; give the mailing's id."""

    async def act() -> str:
        installation = open_installation(home.settings)
        try:
            async with installation.database.write() as session:
                issue = await issues.write(session, installation.clock, home.newsletters[slug], _SUBJECT, BODY)
                return (await actions.schedule(session, installation, issue.id, undo=False)).id
        finally:
            await installation.database.close()

    return asyncio.run(act())


def send(
    home: Home,
    sinks: Sequence[Sink],
    count: int,
    slug: str = SLUG,
    *,
    settings: Mapping[str, str] | None = None,
    profile: Path | None = None,
) -> Sent:
    """Send a mailing with a worker for each sink.

    With `profile` the workers write their profile there when they end.
    """
    with ExitStack() as stack:
        workers = [
            stack.enter_context(home.program(["worker"], {"smtp_url": sink.url, **(settings or {})}, profile))
            for sink in sinks
        ]
        engine = sync_engine(home.settings.database).execution_options(read_only=True)
        stack.callback(engine.dispose)
        wait_for(lambda: _alive(engine, workers) == len(workers), _BEGIN_SECONDS, "the workers")
        mailing_id = schedule(home, slug)
        if profile:
            workers[0].signal(signal.SIGUSR1)
        pids = {"worker": [worker.pid for worker in workers], "sink": [sink.process.pid for sink in sinks]}
        usage = follow(engine, mailing_id, count, workers, pids, home.database_pid)
        return Sent(usage, max(worker.peak_bytes() for worker in workers))


def follow(
    engine: Engine,
    mailing_id: str,
    count: int,
    workers: Sequence[Process],
    pids: Mapping[str, Sequence[int]],
    database: int | None,
) -> Usage:
    """Give what is used from the first lease of a mailing until its ledger has `count` results, all of them delivered.

    Raises ProcessEnded where a worker ends, or nothing more is recorded.
    """
    # To count is work for the database, too: for a large mailing it is asked less often.
    poll = _POLL_SECONDS * max(1.0, count / 50_000)
    try:
        leased = partial(_leased, engine, mailing_id, workers)
        wait_for(leased, _BEGIN_SECONDS + count * _FREEZE_SECONDS, "the mailing's beginning")
        watch, standing = Watch(pids, database), _Standing(0.0, 0, 0)
        while standing.done < count:
            moved = partial(_moved, engine, mailing_id, workers, standing.done)
            wait_for(moved, _STUCK_SECONDS, "results", poll)
            standing = _standing(engine, mailing_id)
    except TimeoutError as error:
        raise ProcessEnded(f"{error}\n{workers[0].last_words()}") from None
    usage = watch.stop()
    if standing.delivered != count:
        raise RuntimeError(f"of {count} mails {standing.delivered} were delivered")
    return usage


class _Standing(NamedTuple):
    """The end of the latest lease, how many mails have their last result, and how many of those were delivered."""

    leased_until: float
    done: int
    delivered: int


def _leased(engine: Engine, mailing_id: str, workers: Sequence[Process]) -> bool:
    _check(workers)
    standing = _standing(engine, mailing_id)
    return standing.leased_until > 0 or standing.done > 0


def _moved(engine: Engine, mailing_id: str, workers: Sequence[Process], before: int) -> bool:
    _check(workers)
    return _standing(engine, mailing_id).done > before


def _check(workers: Sequence[Process]) -> None:
    for worker in workers:
        worker.check()


def _alive(engine: Engine, workers: Sequence[Process]) -> int:
    """Give how many workers have begun to work."""
    _check(workers)
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(Heartbeat)).scalar_one())


def _standing(engine: Engine, mailing_id: str) -> _Standing:
    ends = (Block.delivered, Block.refused, Block.in_doubt, Block.withdrawn)
    sums = [func.coalesce(func.sum(col(end)), 0) for end in ends]
    latest = func.coalesce(func.max(col(Block.leased_until)), 0)
    with engine.connect() as connection:
        lease, *counts = connection.execute(select(latest, *sums).where(col(Block.mailing_id) == mailing_id)).one()
    return _Standing(float(lease), sum(map(int, counts)), int(counts[0]))
