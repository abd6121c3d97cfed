"""The outbox: letters to one person each, waiting to be mailed.

A letter holds ids only. Its address and its words are looked up and its links made when it is mailed, so that nothing
personal lies here, and a letter whose request or subscription is gone goes with it.
"""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from newsletter.database import Moment


class LetterKind(StrEnum):
    """What a letter is about; each kind has its writer."""

    CONFIRMATION = "confirmation"
    WELCOME = "welcome"
    TEST = "test"


class Letter(SQLModel, table=True):
    """One letter that waits. It is deleted once the relay has taken it, or given up on it."""

    __tablename__ = "letter"

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
    attempts: int = 0
    created_at: datetime = Field(sa_type=Moment)
    due_at: datetime = Field(sa_type=Moment, index=True)
    leased_until: float = 0.0
