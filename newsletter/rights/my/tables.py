"""My page: the visits of people to what is held about them, and addresses that wait to be confirmed.

A visit is asked for with an address, and every address writes the same row (promise P7). The worker looks whom it
belongs to: then the row names them by their id and forgets the address, or it goes. The link in the letter opens the
visit once; from then on the browser holds its key, of which the hash alone is kept (RULES H5).
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal

RULE = "my page"
_VISIT = "until the visit is over, an hour at most"
_WAITING = "until the new address is confirmed, a day at most"


class MyVisit(SQLModel, table=True):
    """Somebody asked for the link to their page; then they were mailed it, and perhaps opened it."""

    __tablename__ = "my_visit"

    id: str = Field(primary_key=True, max_length=26)
    email: str | None = Field(
        max_length=254,
        sa_column_kwargs={"info": personal(Category.CONTACT, "mailing the link to the reader's page", _VISIT, RULE)},
    )
    canonical: str | None = Field(
        index=True,
        max_length=254,
        sa_column_kwargs={"info": personal(Category.CONTACT, "recognising the address", _VISIT, RULE)},
    )
    subscriber_id: str | None = Field(
        default=None, foreign_key="subscriber.id", ondelete="CASCADE", index=True, max_length=26
    )
    request_id: str | None = Field(
        default=None, foreign_key="signup_request.id", ondelete="CASCADE", index=True, max_length=26
    )
    language: str = Field(max_length=8)
    asked_at: datetime = Field(sa_type=Moment)
    mailed_at: datetime | None = Field(default=None, sa_type=Moment)
    opened_at: datetime | None = Field(default=None, sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment, index=True)
    key_hash: str | None = Field(default=None, unique=True, max_length=64)


class AddressChange(SQLModel, table=True):
    """A subscriber wants another address. It counts once the new mailbox confirms it; then the old one is told.

    Until then `email` is the new address, and from then on the old one.
    """

    __tablename__ = "address_change"

    id: str = Field(primary_key=True, max_length=26)
    subscriber_id: str = Field(foreign_key="subscriber.id", ondelete="CASCADE", index=True, max_length=26)
    email: str = Field(
        max_length=254,
        sa_column_kwargs={"info": personal(Category.CONTACT, "changing the reader's address", _WAITING, RULE)},
    )
    canonical: str = Field(
        index=True,
        max_length=254,
        sa_column_kwargs={"info": personal(Category.CONTACT, "recognising the address", _WAITING, RULE)},
    )
    asked_at: datetime = Field(sa_type=Moment)
    confirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment, index=True)
