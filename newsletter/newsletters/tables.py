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
    # Where another company than the installation's answers for this newsletter, or another mailbox for its readers.
    controller_name: str | None = Field(default=None, max_length=100)
    controller_organisation_number: str | None = Field(default=None, max_length=30)
    controller_address: str | None = Field(default=None, max_length=200)
    privacy_contact: str | None = Field(default=None, max_length=254)
    data_protection_officer: str | None = Field(default=None, max_length=200)
    # After how many months readers are reminded, and asked to renew their agreement; 0 is never (RULES A9).
    reminder_months: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    renewal_months: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = Field(sa_type=Moment)
