"""Notices, agreements and their events (RULES A6, A10).

A notice is named by the SHA-256 of its wording, so it can't be changed, only followed by another. An agreement holds
what was shown and on which basis; its events are only ever appended. An agreement belongs to a signup request until
that is confirmed, and to the subscriber from then on, and goes with the one that holds it.
"""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal


class Basis(StrEnum):
    """The ground in GDPR art. 6 (RULES A1)."""

    CONSENT = "6(1)(a)"
    CONTRACT = "6(1)(b)"
    LEGITIMATE_INTEREST = "6(1)(f)"


class MarketingBasis(StrEnum):
    """The ground in marketing law, apart from the GDPR's (markedsføringsloven § 15; RULES A1)."""

    CONSENT = "consent"
    EXISTING_CUSTOMER = "existing_customer"
    NOT_MARKETING = "not_marketing"


class EventKind(StrEnum):
    """What can happen to an agreement (RULES A10)."""

    REQUESTED = "requested"
    CONFIRMATION_SENT = "confirmation_sent"
    GIVEN = "given"
    RENEWED = "renewed"
    RECTIFIED = "rectified"
    WITHDRAWN = "withdrawn"


class Notice(SQLModel, table=True):
    """An immutable wording: the label of the agreement box and the whole text beside it, as Markdown."""

    __tablename__ = "notice"

    hash: str = Field(primary_key=True, max_length=64)
    language: str = Field(max_length=8)
    label: str = Field(max_length=500)
    text: str
    created_at: datetime = Field(sa_type=Moment)


class NoticeUse(SQLModel, table=True):
    """From when on a newsletter shows a notice; the latest one of a language is in force."""

    __tablename__ = "notice_use"

    id: str = Field(primary_key=True, max_length=26)
    newsletter_id: str = Field(foreign_key="newsletter.id", ondelete="CASCADE", index=True, max_length=26)
    notice_hash: str = Field(foreign_key="notice.hash", max_length=64)
    language: str = Field(max_length=8)
    valid_from: datetime = Field(sa_type=Moment)


class Agreement(SQLModel, table=True):
    """The evidence that a person asked for a newsletter under a notice."""

    __tablename__ = "agreement"

    id: str = Field(primary_key=True, max_length=26)
    newsletter_id: str = Field(foreign_key="newsletter.id", ondelete="CASCADE", index=True, max_length=26)
    request_id: str | None = Field(
        default=None, foreign_key="signup_request.id", ondelete="CASCADE", index=True, max_length=26
    )
    subscription_id: str | None = Field(
        default=None,
        foreign_key="subscription.id",
        ondelete="CASCADE",
        index=True,
        max_length=26,
        sa_column_kwargs={
            "info": personal(
                Category.AGREEMENT, "proving the agreement", "until the last subscription ends", purged_by="unconfirmed"
            )
        },
    )
    notice_hash: str = Field(foreign_key="notice.hash", max_length=64)
    form_hash: str = Field(max_length=64)
    control_label: str = Field(max_length=500)
    witnessed: bool
    jurisdiction: str = Field(default="NO", max_length=2)
    gdpr_basis: str = Field(max_length=16)
    marketing_basis: str = Field(max_length=24)
    collection: str = Field(max_length=16)
    schema_version: int = 1


class AgreementEvent(SQLModel, table=True):
    """One thing that happened to an agreement. Appended, never changed."""

    __tablename__ = "agreement_event"

    id: str = Field(primary_key=True, max_length=26)
    agreement_id: str = Field(foreign_key="agreement.id", ondelete="CASCADE", index=True, max_length=26)
    kind: str = Field(max_length=24)
    at: datetime = Field(sa_type=Moment)
    actor: str = Field(max_length=16)
    channel: str = Field(max_length=16)
    source_page: str | None = Field(
        default=None,
        max_length=500,
        sa_column_kwargs={
            "info": personal(
                Category.AGREEMENT,
                "showing where the agreement was asked for",
                "until the last subscription ends",
                purged_by="unconfirmed",
            )
        },
    )
    token_hash: str | None = Field(default=None, max_length=64)
