"""What measurement keeps: numbers, and for a while the keyed marks that make them unique (DESIGN §6).

`seen` has no time, no person and, on SQLite, no order but its own hash's. Its key is a row that is destroyed 30 days
after the mailing, and the marks with it; the counters stay.
"""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from newsletter.database import Moment


class MeasurementKey(SQLModel, table=True):
    """The destroyable key under which an issue's marks are made.

    Until the mailing is finished or cancelled `hours_from` is empty, and hits are counted without their hour: it could
    be held against the order of delivery. Then it holds the day.
    """

    __tablename__ = "measurement_key"

    issue_id: str = Field(primary_key=True, foreign_key="issue.id", ondelete="CASCADE", max_length=26)
    key: str = Field(max_length=64)
    hours_from: datetime | None = Field(default=None, sa_type=Moment)


class Seen(SQLModel, table=True):
    """A mark: this nonce has been here. Nobody can tell whose nonce it was, for that is stored nowhere."""

    __tablename__ = "seen"
    __table_args__ = {"sqlite_with_rowid": False}

    issue_id: str = Field(primary_key=True, foreign_key="issue.id", ondelete="CASCADE", max_length=26)
    mark: bytes = Field(primary_key=True, sa_type=LargeBinary)


class Count(SQLModel, table=True):
    """How often, and for how many for the first time, by hour, class and link (-1: the open; -2: any link)."""

    __tablename__ = "count"

    issue_id: str = Field(primary_key=True, foreign_key="issue.id", ondelete="CASCADE", max_length=26)
    link: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    verdict: str = Field(primary_key=True, max_length=8)
    hour: datetime = Field(primary_key=True, sa_type=Moment)
    total: int = 0
    first: int = 0
