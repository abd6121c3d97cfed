"""What is kept of people who are gone: keyed tags, for a while (RULES C2–C5).

A tag is an HMAC of the address under a key that is made from the root secret and the salt of an epoch. Receipts,
suppressions and tombstones have epochs of their own, so that a tag of one says nothing about a tag of another. Whoever
has the database alone can't tell whose a tag is, and once the salt is destroyed nobody can.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal

RECEIPTS, SUPPRESSIONS, TOMBSTONES = "receipts", "suppressions", "tombstones"
_AFTER_A_RESTORE = (
    Category.TAG,
    "deleting and refusing again where a backup is restored",
    "as long as backups are kept (at first 35 days)",
    TOMBSTONES,
)


class TagEpoch(SQLModel, table=True):
    """The salt of an epoch. It is destroyed with the last tag that was made in it."""

    __tablename__ = "tag_epoch"

    id: str = Field(primary_key=True, max_length=26)
    purpose: str = Field(max_length=16, index=True)
    salt: str = Field(max_length=64)
    ends_at: datetime = Field(sa_type=Moment)


class Receipt(SQLModel, table=True):
    """What proves, for a short while, that an agreement was there and how it ended; it names nobody (RULES C3).

    Its moments are days: the hour would tell too much.
    """

    __tablename__ = "receipt"

    id: str = Field(primary_key=True, max_length=26)
    epoch_id: str = Field(foreign_key="tag_epoch.id", index=True, max_length=26)
    tag: str = Field(
        max_length=64,
        index=True,
        sa_column_kwargs={
            "info": personal(
                Category.TAG,
                "proving an agreement that has ended",
                "as long as a dispute is to be expected (at first 90 days)",
                RECEIPTS,
            )
        },
    )
    newsletter_id: str = Field(foreign_key="newsletter.id", ondelete="CASCADE", index=True, max_length=26)
    agreement_id: str = Field(
        max_length=26,
        sa_column_kwargs={
            "info": personal(
                Category.AGREEMENT,
                "proving an agreement that has ended",
                "as long as a dispute is to be expected (at first 90 days)",
                RECEIPTS,
            )
        },
    )
    notice_hash: str = Field(max_length=64)
    given_on: datetime = Field(sa_type=Moment)
    ended_on: datetime = Field(sa_type=Moment)
    outcome: str = Field(max_length=16)
    expires_at: datetime = Field(sa_type=Moment, index=True)


class Suppression(SQLModel, table=True):
    """An address that must not be mailed, by a newsletter or by all, until it comes back itself (RULES C4)."""

    __tablename__ = "suppression"

    id: str = Field(primary_key=True, max_length=26)
    epoch_id: str = Field(foreign_key="tag_epoch.id", index=True, max_length=26)
    tag: str = Field(
        max_length=64,
        index=True,
        sa_column_kwargs={
            "info": personal(
                Category.TAG, "not mailing whoever must not be mailed", "36 months at the most", SUPPRESSIONS
            )
        },
    )
    newsletter_id: str | None = Field(
        default=None, foreign_key="newsletter.id", ondelete="CASCADE", index=True, max_length=26
    )
    cause: str = Field(max_length=16)
    since: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment, index=True)


class Tombstone(SQLModel, table=True):
    """What must happen again where an older database is restored (RULES C2). `filed` says whether it is in the file."""

    __tablename__ = "tombstone"

    id: str = Field(primary_key=True, max_length=26)
    epoch_id: str = Field(foreign_key="tag_epoch.id", index=True, max_length=26)
    tag: str = Field(
        max_length=64,
        index=True,
        sa_column_kwargs={"info": personal(*_AFTER_A_RESTORE)},
    )
    subject_tag: str | None = Field(
        default=None,
        max_length=64,
        sa_column_kwargs={"info": personal(*_AFTER_A_RESTORE)},
    )
    newsletter_id: str | None = Field(default=None, max_length=26)
    kind: str = Field(max_length=24)
    cause: str | None = Field(default=None, max_length=16)
    at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment, index=True)
    filed: bool = Field(default=False, index=True)
