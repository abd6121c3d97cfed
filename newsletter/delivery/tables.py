"""The ledger: which issue goes to whom, and how that went (DESIGN §5).

A mailing freezes its audience into `delivery` rows, numbered from 0, and cuts them into blocks. A worker leases a block
and goes through it in windows: the window's end is committed as `marked_to` before any of its mail leaves, and its
results are appended together with the marking of the next one. So after a crash the block itself says what is unknown:
what lies behind `marked_to` was never begun, what lies between `done_to` and `marked_to` and has no result is in doubt.

`result` rows and the counters have no foreign key to people: erasing anybody at any instant breaks nothing and
changes no figure (RULES C8). A result holds codes and the everyday words of a reply (`mail/words/`), and no
time of delivery. The times that the work itself needs go with it: when to try again with the block, how far the mailing
was a moment ago; and a mailing that is over keeps its days alone (P3).
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from newsletter.database import Moment


class MailingState(StrEnum):
    """Where a mailing stands."""

    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Mailing(SQLModel, table=True):
    """Sending one issue to its audience.

    `sampled_*` and `earlier_*` say by the database's clock how many deliveries were dealt with a moment ago, for the
    rate (see `progress`); they are empty unless it is being sent. `trouble` says in a sentence what keeps the sender
    from the relay just now (`mail.trouble.Trouble.sentence`); it is empty as soon as mail flows.
    `reopened` is a mailing that had ended before some of its deliveries were sent again.
    """

    __tablename__ = "mailing"

    id: str = Field(primary_key=True, max_length=26)
    issue_id: str = Field(foreign_key="issue.id", ondelete="CASCADE", unique=True, max_length=26)
    newsletter_id: str = Field(foreign_key="newsletter.id", ondelete="CASCADE", index=True, max_length=26)
    state: str = Field(max_length=16, index=True)
    audience: int = 0
    created_at: datetime = Field(sa_type=Moment)
    starts_at: datetime = Field(sa_type=Moment)
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    sampled_at: float | None = None
    sampled_done: int | None = None
    earlier_at: float | None = None
    earlier_done: int | None = None
    trouble: str | None = Field(default=None, max_length=500)
    reopened: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class Block(SQLModel, table=True):
    """A run of deliveries that one worker at a time works on, with its own counters."""

    __tablename__ = "block"
    __table_args__ = (Index("ix_block_due", "mailing_id", "finished", "due_at"),)

    mailing_id: str = Field(primary_key=True, foreign_key="mailing.id", ondelete="CASCADE", max_length=26)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    first: int
    last: int
    pass_number: int = 1
    done_to: int
    marked_to: int
    due_at: float = 0.0
    pass_at: float = 0.0
    owner: str | None = Field(default=None, max_length=100)
    lease: str | None = Field(default=None, max_length=26)
    leased_until: float = 0.0
    finished: bool = False
    delivered: int = 0
    refused: int = 0
    deferred: int = 0
    in_doubt: int = 0
    withdrawn: int = 0


class Delivery(SQLModel, table=True):
    """One issue to one subscriber. The row goes with its subscription; the figures stay."""

    __tablename__ = "delivery"

    mailing_id: str = Field(primary_key=True, foreign_key="mailing.id", ondelete="CASCADE", max_length=26)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    subscription_id: str = Field(foreign_key="subscription.id", ondelete="CASCADE", index=True, max_length=26)


class Result(SQLModel, table=True):
    """How one attempt went. Appended; without a foreign key; says nothing about who.

    `let_be` is one in doubt of which an editor has decided that it is not sent again.
    """

    __tablename__ = "result"
    __table_args__ = (
        Index(
            "ix_result_in_doubt",
            "mailing_id",
            "number",
            sqlite_where=text("outcome = 'in_doubt'"),
            postgresql_where=text("outcome = 'in_doubt'"),
        ),
    )

    mailing_id: str = Field(primary_key=True, max_length=26)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    attempt: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    outcome: str = Field(max_length=16)
    stage: str | None = Field(default=None, max_length=8)
    code: int | None = None
    enhanced: str | None = Field(default=None, max_length=12)
    reply: str | None = Field(default=None, max_length=200)
    retry_at: float | None = None
    let_be: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
