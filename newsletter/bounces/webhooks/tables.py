"""The tokens of webhooks that count once, kept for as long as they could be shown again."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from newsletter.database import Moment

RULE = "webhook tokens"


class UsedToken(SQLModel, table=True):
    """That a token was shown; `digest` is its SHA-256."""

    __tablename__ = "used_token"

    digest: str = Field(primary_key=True, max_length=64)
    used_at: datetime = Field(sa_type=Moment, index=True)
