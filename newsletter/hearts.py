"""The hearts of workers: each lets its own beat, and the others see who lives."""

from sqlalchemy import ColumnElement, and_, func
from sqlalchemy.orm import Mapped
from sqlmodel import Field, SQLModel, col, select

from newsletter.database import Session, database_seconds, insert

# Without a sign of life for so long a worker counts as dead.
SILENT_SECONDS = 30.0


class Heartbeat(SQLModel, table=True):
    """The last sign of life of a worker, by the database's clock."""

    __tablename__ = "heartbeat"

    worker: str = Field(primary_key=True, max_length=100)
    seen_at: float


async def beat(session: Session, worker: str) -> None:
    """Give a sign of life."""
    statement = insert(session, Heartbeat).values(worker=worker, seen_at=database_seconds())
    await session.execute(
        statement.on_conflict_do_update(index_elements=["worker"], set_={"seen_at": database_seconds()})
    )


async def is_first(session: Session, worker: str) -> bool:
    """Say whether this worker is the first of the living, by name: it does what is to be done once for all."""
    return (await session.exec(select(func.min(Heartbeat.worker)).where(is_alive()))).one() == worker


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
