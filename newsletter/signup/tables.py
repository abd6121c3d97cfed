"""Signup requests: the pending subscriptions.

Every request writes one such row, whether its address is new, pending or active (RULES H3). What a stranger typed about
a known address waits here and changes nothing until the mailbox confirms it. Once confirmed it is
emptied, and stays only for the page that a second click meets.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal

RULE = "unconfirmed"
_RETENTION = "until it is confirmed, else as long as its link is good (at first 72 hours)"


class SignupRequest(SQLModel, table=True):
    """Somebody asked for a newsletter for this address; the mailbox has not yet confirmed it."""

    __tablename__ = "signup_request"

    id: str = Field(primary_key=True, max_length=26)
    newsletter_id: str = Field(foreign_key="newsletter.id", ondelete="CASCADE", index=True, max_length=26)
    email: str | None = Field(
        max_length=254,
        sa_column_kwargs={"info": personal(Category.CONTACT, "asking for the confirmation", _RETENTION, RULE)},
    )
    canonical: str | None = Field(
        index=True,
        max_length=254,
        sa_column_kwargs={"info": personal(Category.CONTACT, "recognising the address", _RETENTION, RULE)},
    )
    given_name: str | None = Field(
        default=None,
        max_length=64,
        sa_column_kwargs={"info": personal(Category.IDENTITY, "addressing the reader", _RETENTION, RULE)},
    )
    family_name: str | None = Field(
        default=None,
        max_length=64,
        sa_column_kwargs={"info": personal(Category.IDENTITY, "addressing the reader", _RETENTION, RULE)},
    )
    title: str | None = Field(
        default=None,
        max_length=64,
        sa_column_kwargs={"info": personal(Category.WORK, "knowing the readership", _RETENTION, RULE)},
    )
    employer: str | None = Field(
        default=None,
        max_length=64,
        sa_column_kwargs={"info": personal(Category.WORK, "knowing the readership", _RETENTION, RULE)},
    )
    language: str = Field(max_length=8)
    requested_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment, index=True)
    confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    subscriber_id: str | None = Field(
        default=None, foreign_key="subscriber.id", ondelete="CASCADE", index=True, max_length=26
    )
