"""The people, and what they subscribe to.

Every row that belongs to a person hangs on `subscriber` by ON DELETE CASCADE: deleting that one row deletes
everything (RULES C1). A subscription's id is random and never used again, so a link from before a person left
can't touch who they are when they come back.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal

_UNTIL_LEAVING = "until the last subscription ends"


class SubscriptionState(StrEnum):
    """Where a subscription stands. A pending one is a signup request that waits for its confirmation."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


class MeasurementChoice(StrEnum):
    """What a person said about being measured (RULES A4, D1). Who said nothing is not measured personally (D3)."""

    UNKNOWN = "unknown"
    ALLOWED = "allowed"
    REFUSED = "refused"


class Subscriber(SQLModel, table=True):
    """One person, reachable at one address. A restricted one is kept, and mailed nothing (GDPR art. 18)."""

    __tablename__ = "subscriber"
    __table_args__ = (
        Index(
            "ix_subscriber_restricted",
            "id",
            sqlite_where=text("restricted_at IS NOT NULL"),
            postgresql_where=text("restricted_at IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True, max_length=26)
    email: str = Field(
        max_length=254,
        sa_column_kwargs={"info": personal(Category.CONTACT, "sending the newsletter", _UNTIL_LEAVING)},
    )
    canonical: str = Field(
        max_length=254,
        unique=True,
        sa_column_kwargs={"info": personal(Category.CONTACT, "recognising the address", _UNTIL_LEAVING)},
    )
    given_name: str | None = Field(
        default=None,
        max_length=64,
        sa_column_kwargs={"info": personal(Category.IDENTITY, "addressing the reader", _UNTIL_LEAVING)},
    )
    family_name: str | None = Field(
        default=None,
        max_length=64,
        sa_column_kwargs={"info": personal(Category.IDENTITY, "addressing the reader", _UNTIL_LEAVING)},
    )
    title: str | None = Field(
        default=None,
        max_length=64,
        sa_column_kwargs={"info": personal(Category.WORK, "knowing the readership", _UNTIL_LEAVING)},
    )
    employer: str | None = Field(
        default=None,
        max_length=64,
        sa_column_kwargs={"info": personal(Category.WORK, "knowing the readership", _UNTIL_LEAVING)},
    )
    language: str = Field(
        max_length=8,
        sa_column_kwargs={"info": personal(Category.PREFERENCE, "writing in the reader's language", _UNTIL_LEAVING)},
    )
    measurement: str = Field(
        default=MeasurementChoice.UNKNOWN,
        max_length=16,
        sa_column_kwargs={
            "info": personal(Category.PREFERENCE, "measuring reading only as the reader wants", _UNTIL_LEAVING),
            "server_default": MeasurementChoice.UNKNOWN.value,
        },
    )
    restricted_at: datetime | None = Field(
        default=None,
        sa_type=Moment,
        sa_column_kwargs={
            "info": personal(Category.PREFERENCE, "keeping data unused where the reader asked for it", _UNTIL_LEAVING)
        },
    )
    created_at: datetime = Field(sa_type=Moment)


class Subscription(SQLModel, table=True):
    """A subscriber's subscription to one newsletter; at most one that has not ended."""

    __tablename__ = "subscription"
    __table_args__ = (
        Index(
            "ix_subscription_current",
            "newsletter_id",
            "subscriber_id",
            unique=True,
            sqlite_where=text("state <> 'ended'"),
            postgresql_where=text("state <> 'ended'"),
        ),
    )

    id: str = Field(primary_key=True, max_length=26)
    subscriber_id: str = Field(foreign_key="subscriber.id", ondelete="CASCADE", index=True, max_length=26)
    newsletter_id: str = Field(foreign_key="newsletter.id", ondelete="CASCADE", max_length=26)
    state: str = Field(max_length=16)
    created_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class SignalState(StrEnum):
    """Held until the hold is over; quarantined where the circuit breaker asks for an editor's eye; confirmed where an
    editor said that they are dead.
    """

    HELD = "held"
    QUARANTINED = "quarantined"
    CONFIRMED = "confirmed"


class DeadSignal(SQLModel, table=True):
    """A subscriber's address was refused as dead. While this stands, nothing more is sent to it (RULES F3).

    `sent_on` is the day of the mail that came back, where a report said so; a refusal of our own sending has none.
    """

    __tablename__ = "dead_signal"

    subscriber_id: str = Field(
        primary_key=True,
        foreign_key="subscriber.id",
        ondelete="CASCADE",
        max_length=26,
        sa_column_kwargs={
            "info": personal(Category.CONTACT, "not mailing a dead address", "until the subscriber is deleted")
        },
    )
    mailing_id: str | None = Field(default=None, max_length=26)
    domain_tag: str = Field(max_length=64, index=True)
    enhanced: str = Field(max_length=12)
    state: str = Field(default=SignalState.HELD, max_length=16)
    at: datetime = Field(sa_type=Moment)
    sent_on: datetime | None = Field(default=None, sa_type=Moment)


class FirstSignal(SQLModel, table=True):
    """A subscriber's mailbox was closed, or its domain gone, on that day: dead when it is said again (RULES F2)."""

    __tablename__ = "first_signal"

    subscriber_id: str = Field(
        primary_key=True,
        foreign_key="subscriber.id",
        ondelete="CASCADE",
        max_length=26,
        sa_column_kwargs={
            "info": personal(
                Category.CONTACT, "telling a closed mailbox from a fault", "60 days, or until mail arrives again"
            )
        },
    )
    day: datetime = Field(sa_type=Moment)
    code: str = Field(max_length=12)
