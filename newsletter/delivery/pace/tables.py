"""What all workers know together about the pace: a row only for a domain that is limited or slowed.

A row for a recipients' domain carries a keyed tag and not its name, for some domains are one person's. It is deleted an
hour after it last said anything. A sender's own domain is no secret, and how many mails it sent on a day of its warm-up
is kept for the plan to show.
"""

from datetime import date

from sqlmodel import Field, SQLModel


class Pace(SQLModel, table=True):
    """The meter (see `mail.wire.meters`) and the slowness of a domain (`slowing`), in the database's seconds."""

    __tablename__ = "pace"

    tag: str = Field(primary_key=True, max_length=64)
    full_at: float = 0.0
    queue_at: float = 0.0
    level: int = 0
    troubled_at: float = 0.0
    trouble: str | None = Field(default=None, max_length=16)
    base: float = 0.0


class SendingDay(SQLModel, table=True):
    """How many mails a sender's domain was granted on one day (UTC) of its warm-up."""

    __tablename__ = "sending_day"

    domain: str = Field(primary_key=True, max_length=253)
    day: date = Field(primary_key=True)
    used: int = 0
