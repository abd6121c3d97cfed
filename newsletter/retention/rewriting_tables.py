"""When PostgreSQL wrote a table anew, and how much had changed in it by then."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from newsletter.database import Moment


class Rewriting(SQLModel, table=True):
    """The last time that a table was written anew: at which count of deleted and changed rows, and how long it took."""

    __tablename__ = "rewriting"

    name: str = Field(primary_key=True, max_length=64)
    changes: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment)
    seconds: float
