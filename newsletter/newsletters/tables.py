"""The newsletters one can subscribe to."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from newsletter.database import Moment


class Measurement(StrEnum):
    """How reading is measured (RULES D1). Personal measurement needs each person's own choice, and is not offered
    yet.
    """

    OFF = "off"
    ANONYMOUS = "anonymous"


class Newsletter(SQLModel, table=True):
    """What one subscribes to."""

    __tablename__ = "newsletter"

    id: str = Field(primary_key=True, max_length=26)
    slug: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=100)
    description: str = Field(default="", max_length=500)
    sender_name: str = Field(default="", max_length=100)
    sender_address: str = Field(max_length=254)
    language: str = Field(max_length=8)
    measurement: str = Field(default=Measurement.ANONYMOUS, max_length=16)
    created_at: datetime = Field(sa_type=Moment)
