"""What an editor is writing: the draft of a notice, which nobody has seen, so it may still change (RULES A6)."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from newsletter.database import Moment


class NoticeDraft(SQLModel, table=True):
    """The next notice of a newsletter in one language, as far as it is written."""

    __tablename__ = "notice_draft"

    newsletter_id: str = Field(primary_key=True, foreign_key="newsletter.id", ondelete="CASCADE", max_length=26)
    language: str = Field(primary_key=True, max_length=8)
    label: str = Field(max_length=500)
    text: str
    changed_at: datetime = Field(sa_type=Moment)
