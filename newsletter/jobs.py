"""Durable work: queued jobs and schedules, on DBOS.

The ledger and the outbox are the truth, the queue is only the nudge: a job gets one id, never an address or a word,
and it must be able to find out from the database what is left to do. So wiping the queue loses nothing, and a job that
runs twice does nothing the second time. On SQLite the queue has a file of its own beside the database, on PostgreSQL a
schema of its own within it.

What happens every second is not durable work: `every` runs it as a plain loop of the process.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import structlog
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions
from dbos._error import DBOSQueueDeduplicatedError
from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Mapped
from sqlmodel import Field, SQLModel, col, select

from newsletter.clock import Clock
from newsletter.database import database_seconds, queue_engine
from newsletter.logs import where

Job = Callable[[str], Awaitable[None]]

# Without a sign of life for so long a worker counts as dead.
SILENT_SECONDS = 30.0
_QUEUE = "newsletter"
_APPLICATION_VERSION = "1"
_REMEMBERED = timedelta(hours=1)
_MOST_FORGOTTEN = 1000
_log = structlog.get_logger(__name__)
_jobs: dict[str, Job] = {}


class Heartbeat(SQLModel, table=True):
    """The last sign of life of a worker, by the database's clock."""

    __tablename__ = "heartbeat"

    worker: str = Field(primary_key=True, max_length=100)
    seen_at: float


def machine_of(worker: str) -> str:
    """Give the machine that a worker's name says."""
    return worker.rpartition("-")[0]


def is_alive() -> ColumnElement[bool]:
    """Say, as a condition, that a heart beats."""
    return col(Heartbeat.seen_at) > database_seconds() - SILENT_SECONDS


def is_dead_beside(name: Mapped[str], worker: str) -> ColumnElement[bool]:
    """Say, as a condition, that `name` is a worker's of the same machine, whose heart does not beat any more."""
    living = select(Heartbeat.worker).where(is_alive())
    return and_(name.startswith(f"{machine_of(worker)}-", autoescape=True), name.not_in(living))


class JobFailed(Exception):
    """A job ended in an error. It carries the error's kind alone: what DBOS stores must hold nothing personal (RULES
    C7).
    """


@DBOS.step(name="newsletter.step")
async def _step(name: str, subject: str) -> None:
    try:
        await _jobs[name](subject)
    except Exception as error:
        _log.error("job_failed", job=name, kind=type(error).__name__, where=where(error))
        raise JobFailed(type(error).__name__) from None


@DBOS.workflow(name="newsletter.job")
async def _workflow(name: str, subject: str) -> None:
    await _step(name, subject)


@DBOS.workflow(name="newsletter.scheduled")
async def _scheduled(at: datetime, name: Any) -> None:
    await _step(str(name), "")


class Jobs:
    """The queue of this process. Register the jobs, then start it within the running event loop."""

    def __init__(self, database_url: str, executor: str, clock: Clock) -> None:
        self._clock = clock
        self._url = _queue_url(database_url)
        self._executor = executor
        self._schedules: dict[str, str] = {}

    def register(self, name: str, job: Job, *, cron: str | None = None) -> None:
        """Let `name` run `job`, and, with `cron` (six fields, seconds first), at those times too with an empty
        subject.
        """
        _jobs[name] = job
        if cron:
            self._schedules[name] = cron

    async def start(self) -> None:
        """Take up this process's unfinished jobs, and work on the queue."""
        logging.getLogger("dbos").setLevel(logging.ERROR)
        await asyncio.to_thread(_silence_and_configure, self._url, self._executor)
        DBOS.launch()
        await DBOS.register_queue_async(_QUEUE, worker_concurrency=4, polling_interval_sec=0.5)
        for name, cron in self._schedules.items():
            await DBOS.apply_schedules_async(
                [{"schedule_name": name, "workflow_fn": _scheduled, "schedule": cron, "context": name}]
            )

    async def enqueue(self, name: str, subject: str) -> None:
        """Ask for `name` to be run for `subject`; nothing happens where this process asked for that already."""
        with (
            contextlib.suppress(DBOSQueueDeduplicatedError),
            SetEnqueueOptions(deduplication_id=f"{self._executor}/{name}/{subject}"),
        ):
            await DBOS.enqueue_workflow_async(_QUEUE, _workflow, name, subject)

    async def forget_finished(self) -> None:
        """Delete what the queue remembers of jobs that ended more than an hour ago; it is nobody's truth."""
        before = (self._clock.now() - _REMEMBERED).isoformat()
        ended = await DBOS.list_workflows_async(
            status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            completed_before=before,
            limit=_MOST_FORGOTTEN,
            load_input=False,
            load_output=False,
        )
        if ended:
            await DBOS.delete_workflows_async([job.workflow_id for job in ended])

    async def stop(self) -> None:
        """Stop working on the queue. What is unfinished is taken up at the next start."""
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        await asyncio.to_thread(DBOS.destroy)
        # DBOS made its threads those of this loop, and has ended them; whoever stops after us needs some, too.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())


def _queue_url(database_url: str) -> str:
    if database_url.startswith("sqlite"):
        return database_url.removesuffix(".sqlite") + "-jobs.sqlite"
    return database_url


def _silence_and_configure(url: str, executor: str) -> None:
    DBOS(
        config=DBOSConfig(
            name="newsletter",
            system_database_url=url.replace("postgresql:", "postgresql+psycopg:", 1),
            system_database_engine=queue_engine(url),
            executor_id=executor,
            # Readable, and nothing that is run when it is read, as a pickle would be.
            serializer=DBOSPortableJSONSerializer(),
            application_version=_APPLICATION_VERSION,
            log_level="ERROR",
            scheduler_polling_interval_sec=5.0,
        )
    )


async def every(seconds: float, name: str, work: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Run `work` again and again, `seconds` apart, until `stop` is set. An error is logged by its kind, and tried
    again.
    """
    while not stop.is_set():
        try:
            await work()
        except Exception as error:
            _log.error("loop_failed", loop=name, kind=type(error).__name__, where=where(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
