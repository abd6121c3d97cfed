"""The mailbox that bounces are fetched from: who fetches, and how far it was looked through.

One worker of all fetches at a time, by a lease; the mark lets the next one, or the same after a restart, go on where it
was, however much foreign mail lies there.
"""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class Mailbox(SQLModel, table=True):
    """One folder on one server; `id` is a digest of both.

    Every mail up to the number `seen_to` (its UID) was looked at; the numbers hold as long as the folder's `validity`
    stays the same. `leased_until` is by the database's clock.
    """

    __tablename__ = "mailbox"

    id: str = Field(primary_key=True, max_length=64)
    poller: str = Field(default="", max_length=100)
    leased_until: float = 0.0
    validity: int = Field(default=0, sa_type=BigInteger)
    seen_to: int = Field(default=0, sa_type=BigInteger)
