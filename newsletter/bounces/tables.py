"""The counts that tell a dead person from a provider's mistake (RULES F4)."""

from datetime import datetime

from sqlalchemy import text
from sqlmodel import Field, SQLModel

from newsletter.database import Moment


class Tally(SQLModel, table=True):
    """How many were accepted and how many dead in one hour, for a domain or a mailing; `tag` is keyed and names
    neither. `bounced` are those that a report called dead in that hour; they had been accepted before.
    """

    __tablename__ = "tally"

    tag: str = Field(primary_key=True, max_length=64)
    hour: datetime = Field(primary_key=True, sa_type=Moment)
    accepted: int = 0
    dead: int = 0
    bounced: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
