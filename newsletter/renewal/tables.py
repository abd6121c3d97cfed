"""Notice mailings, and the letters that tell of an agreement or ask for its renewal (RULES A7, A9).

A notice mailing tells everybody whose agreement rests on an older notice of the new one, or asks them to agree to it.
Its letters are put into the outbox a few at a time, in the order of the subscriptions' ids, and `cursor` says how far
that has come. So there is never more waiting than is mailed in a moment, and to pause it is to put in no more.

Each letter has a row of its own with the id of the letter in the outbox, which is also what its link names. The row
goes with the subscription; the mailing's counters are numbers of their own, so nobody's erasure changes them (RULES
C8).
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal


class NoticeMailingKind(StrEnum):
    """Whether readers are told of the new notice, or asked to agree to it."""

    ANNOUNCEMENT = "announcement"
    RECONFIRMATION = "reconfirmation"


class NoticeMailingState(StrEnum):
    """Where a notice mailing stands. An answering one has been sent, and waits until the time to answer is over."""

    SENDING = "sending"
    PAUSED = "paused"
    ANSWERING = "answering"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class NoticeMailing(SQLModel, table=True):
    """One new notice, told to those whose agreement rests on an older one of the same language.

    `days` is how long they may take to answer, and `ends` whether the subscription of who does not answer ends.
    `passed_at` is when everybody had last been gone through: those who came under the old notice since then, before a
    planned one is in force, are gone through once more.
    """

    __tablename__ = "notice_mailing"

    id: str = Field(primary_key=True, max_length=26)
    newsletter_id: str = Field(foreign_key="newsletter.id", ondelete="CASCADE", index=True, max_length=26)
    notice_hash: str = Field(foreign_key="notice.hash", max_length=64)
    language: str = Field(max_length=8)
    kind: str = Field(max_length=16)
    state: str = Field(max_length=16, index=True)
    valid_from: datetime = Field(sa_type=Moment)
    starts_at: datetime = Field(sa_type=Moment)
    days: int = 0
    ends: bool = False
    created_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    passed_at: datetime | None = Field(default=None, sa_type=Moment)
    cursor: str = Field(default="", max_length=26)
    audience: int = 0
    sent: int = 0
    failed: int = 0
    left_out: int = 0
    renewed: int = 0
    ended: int = 0
    unanswered: int = 0


class RenewalState(StrEnum):
    """Where such a letter stands. One that was sent and asks for an answer gets it, or is left unanswered."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    LEFT_OUT = "left_out"
    RENEWED = "renewed"
    UNANSWERED = "unanswered"


class RenewalLetter(SQLModel, table=True):
    """One letter about an agreement. `occasion` keeps anybody from being written to twice for the same reason: the
    mailing's id, or from when on the agreement's time is counted.
    """

    __tablename__ = "renewal_letter"
    __table_args__ = (
        UniqueConstraint("subscription_id", "kind", "occasion"),
        Index("ix_renewal_letter_state", "mailing_id", "state", "at"),
    )

    id: str = Field(primary_key=True, max_length=26)
    kind: str = Field(max_length=16)
    occasion: str = Field(max_length=40)
    mailing_id: str | None = Field(default=None, foreign_key="notice_mailing.id", ondelete="CASCADE", max_length=26)
    subscription_id: str = Field(
        foreign_key="subscription.id",
        ondelete="CASCADE",
        max_length=26,
        sa_column_kwargs={
            "info": personal(
                Category.AGREEMENT,
                "asking for a renewal once, and taking the answer",
                "until the last subscription ends",
            )
        },
    )
    state: str = Field(max_length=16)
    at: datetime = Field(sa_type=Moment)
