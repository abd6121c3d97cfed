"""The mailbox that bounces are fetched from: who fetches, how far it was looked through, and whether that went well.

One worker of all fetches at a time, by a lease; the mark lets the next one, or the same after a restart, go on where it
was, however much foreign mail lies there.
"""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from newsletter.database import Moment

WAY = "mailbox"


class Mailbox(SQLModel, table=True):
    """One folder on one server; `id` is a digest of both.

    Every mail up to the number `seen_to` (its UID) was looked at; the numbers hold as long as the folder's `validity`
    stays the same. `leased_until` is by the database's clock.

    `server` is host and port. `trouble` is why it could not be used when it was looked into last, at `looked_at`; it
    has been so, or well, `since`. The next look is due at `again_at`.
    """

    __tablename__ = "mailbox"

    id: str = Field(primary_key=True, max_length=64)
    poller: str = Field(default="", max_length=100)
    leased_until: float = 0.0
    validity: int = Field(default=0, sa_type=BigInteger)
    seen_to: int = Field(default=0, sa_type=BigInteger)
    server: str | None = Field(default=None, max_length=300)
    trouble: str | None = Field(default=None, max_length=100)
    since: datetime | None = Field(default=None, sa_type=Moment)
    looked_at: datetime | None = Field(default=None, sa_type=Moment)
    again_at: datetime | None = Field(default=None, sa_type=Moment)
