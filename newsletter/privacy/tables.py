"""Who was told of an erasure, a correction or a restriction: companies and numbers, never a reader."""

from datetime import date
from enum import StrEnum

from sqlmodel import Field, SQLModel


class Told(StrEnum):
    """What a recipient must be told about somebody's data (GDPR art. 19)."""

    ERASURE = "erasure"
    RECTIFICATION = "rectification"
    RESTRICTION = "restriction"


class Telling(SQLModel, table=True):
    """A recipient was told of so many erasures, corrections or restrictions on a day. It names no subscriber."""

    __tablename__ = "telling"

    id: str = Field(primary_key=True, max_length=26)
    recipient: str = Field(max_length=100)
    about: str = Field(max_length=16)
    told_on: date
    count: int
    editor_id: str | None = Field(default=None, foreign_key="editor.id", ondelete="SET NULL", index=True, max_length=26)
