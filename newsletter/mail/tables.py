"""The outbox: letters to one person each, waiting to be mailed.

A letter holds ids only. Its address and its words are looked up and its links made when it is mailed, so that nothing
personal lies here, and a letter whose request or subscription is gone goes with it.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from newsletter.database import Moment


class LetterKind(StrEnum):
    """What a letter is about; each kind has its writer."""

    CONFIRMATION = "confirmation"
    WELCOME = "welcome"
    TEST = "test"
    NOTICE_CHANGED = "notice_changed"
    RECONFIRMATION = "reconfirmation"
    REMINDER = "reminder"
    RENEWAL = "renewal"
    RIGHTS_DUE = "rights_due"
    MY_LINK = "my_link"
    NEW_ADDRESS = "new_address"
    OLD_ADDRESS = "old_address"
    RECOVERY = "recovery"


class Letter(SQLModel, table=True):
    """One letter that waits. It is deleted once the relay has taken it, or given up on it.

    A `bulk` letter is one of many that say the same: they have a lane of their own, so that nobody who signs up waits
    behind them.
    """

    __tablename__ = "letter"
    __table_args__ = (Index("ix_letter_due", "bulk", "due_at"),)

    id: str = Field(primary_key=True, max_length=26)
    kind: str = Field(max_length=16)
    request_id: str | None = Field(
        default=None, foreign_key="signup_request.id", ondelete="CASCADE", index=True, max_length=26
    )
    subscription_id: str | None = Field(
        default=None, foreign_key="subscription.id", ondelete="CASCADE", index=True, max_length=26
    )
    issue_id: str | None = Field(default=None, foreign_key="issue.id", ondelete="CASCADE", index=True, max_length=26)
    editor_id: str | None = Field(default=None, foreign_key="editor.id", ondelete="CASCADE", index=True, max_length=26)
    visit_id: str | None = Field(default=None, foreign_key="my_visit.id", ondelete="CASCADE", index=True, max_length=26)
    change_id: str | None = Field(
        default=None, foreign_key="address_change.id", ondelete="CASCADE", index=True, max_length=26
    )
    recovery_id: str | None = Field(
        default=None, foreign_key="editor_recovery.id", ondelete="CASCADE", index=True, max_length=26
    )
    bulk: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    # It was let through the limits, and is not counted again.
    counted: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    attempts: int = 0
    created_at: datetime = Field(sa_type=Moment)
    due_at: datetime = Field(sa_type=Moment)
    leased_until: float = 0.0
