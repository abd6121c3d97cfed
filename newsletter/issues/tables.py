"""Issues and the links in them."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from newsletter.database import Moment


class Issue(SQLModel, table=True):
    """One edition of a newsletter. It can be changed until its mailing begins."""

    __tablename__ = "issue"
    __table_args__ = (UniqueConstraint("newsletter_id", "number"),)

    id: str = Field(primary_key=True, max_length=26)
    newsletter_id: str = Field(foreign_key="newsletter.id", ondelete="CASCADE", index=True, max_length=26)
    number: int
    subject: str = Field(max_length=200)
    body: str
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class IssueLink(SQLModel, table=True):
    """A link of an issue, fixed when its mailing begins. Clicks name it by number: there is no open redirect."""

    __tablename__ = "issue_link"

    issue_id: str = Field(primary_key=True, foreign_key="issue.id", ondelete="CASCADE", max_length=26)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    url: str
