"""What is remembered of those who cause mail: keyed tags with a short life, and plain numbers (RULES C5, H1)."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal

RULE = "limits"


class LimitBucket(SQLModel, table=True):
    """How much a network, a domain or all together have used up; `rules` says what the moments mean.

    Moments are seconds since 1970. In `tail` the last of the letters that wait has its turn.
    """

    __tablename__ = "limit_bucket"

    tag: str = Field(
        primary_key=True,
        max_length=64,
        sa_column_kwargs={
            "info": personal(Category.TAG, "letting nobody sign up others in masses", "an hour after it was used", RULE)
        },
    )
    until: float
    tail: float = 0.0


class LimitAddress(SQLModel, table=True):
    """When the last letters left that a stranger may have caused to an address: `times`, in seconds since 1970."""

    __tablename__ = "limit_address"

    tag: str = Field(
        primary_key=True,
        max_length=64,
        sa_column_kwargs={
            "info": personal(
                Category.TAG, "letting nobody flood a mailbox with our letters", "a week after the last letter", RULE
            )
        },
    )
    times: str = Field(max_length=2000)
    until: float


class LimitOver(SQLModel, table=True):
    """How often a limit held something back in an hour; it says nothing of whom."""

    __tablename__ = "limit_over"

    hour: datetime = Field(primary_key=True, sa_type=Moment)
    kind: str = Field(primary_key=True, max_length=16)
    count: int
