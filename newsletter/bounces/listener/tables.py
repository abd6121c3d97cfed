"""Which workers listen: a row for each that should, as it said itself when that changed.

A worker that was killed leaves its row behind, so whoever reads it also looks at the worker's heartbeat.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from newsletter.database import Moment

WAY = "listener"


class Listening(SQLModel, table=True):
    """That a worker listens at a `place` (host and port), or what keeps it from that (`trouble`), and since when."""

    __tablename__ = "listening"

    worker: str = Field(primary_key=True, max_length=100)
    place: str = Field(max_length=300)
    trouble: str | None = Field(default=None, max_length=100)
    since: datetime = Field(sa_type=Moment)
