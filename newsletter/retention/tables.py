"""What retention keeps of itself: when each rule ran last, and what it purged when. It names nobody."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from newsletter.database import Moment


class RetentionState(SQLModel, table=True):
    """How a rule stands: `failed_at` is since when it has failed each time, `error` the kind of the error."""

    __tablename__ = "retention_state"

    rule: str = Field(primary_key=True, max_length=64)
    ran_at: datetime = Field(sa_type=Moment)
    purged: int = 0
    seconds: float = 0.0
    failed_at: datetime | None = Field(default=None, sa_type=Moment)
    error: str | None = Field(default=None, max_length=100)


class RetentionRun(SQLModel, table=True):
    """A run of a rule that purged something, or failed. A run that found nothing leaves only its time above."""

    __tablename__ = "retention_run"
    __table_args__ = (Index("ix_retention_run_at", "at", "id"), Index("ix_retention_run_rule", "rule", "at"))

    id: str = Field(primary_key=True, max_length=26)
    rule: str = Field(max_length=64)
    at: datetime = Field(sa_type=Moment)
    purged: int = 0
    seconds: float = 0.0
    error: str | None = Field(default=None, max_length=100)
