"""Notices, agreements and their events (RULES A6, A10).

A notice is named by the SHA-256 of its wording, so it can't be changed, only followed by another. An agreement holds
what was shown and on which basis; its events are only ever appended. An agreement belongs to a signup request until
that is confirmed, and to the subscriber from then on, and goes with the one that holds it.

Both are sealed when they are written, under a key that is not in the database, and the events are then chained, each
under the random salt of its agreement (see `sealing`, `chaining`, and decision 12).
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, text
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
    IMPORTED = "imported"
    REFUSED = "refused"
    NOTICE_SENT = "notice_sent"
    REMINDED = "reminded"
    RENEWED = "renewed"
    RECTIFIED = "rectified"
    RESTRICTED = "restricted"
    UNRESTRICTED = "unrestricted"
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"
    EXPIRED = "expired"
    BOUNCED_DEAD = "bounced_dead"
    COMPLAINED = "complained"


# Where an event stands in its newsletter's chain, as long as that is no number from 1 on.
DUE = 0  # it is to be chained
REFUSED = -1  # its seal is not ours: it is never chained, and `agreements verify` reports it


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
    # Whether readers are to be told or asked: an editor's judgement, made when it is put in force (RULES A7).
    material: bool = Field(default=False, sa_column_kwargs={"server_default": text("(false)")})


class AgreementTerms(SQLModel, table=True):
    """What is the same for everybody who agrees at a time: purposes, data, controller. Named by its hash."""

    __tablename__ = "agreement_terms"

    hash: str = Field(primary_key=True, max_length=64)
    body: str
    created_at: datetime = Field(sa_type=Moment)


class Agreement(SQLModel, table=True):
    """The evidence that a person asked for a newsletter under a notice.

    `seal` is over everything but `request_id` and `subscription_id`, which change when it is given; `salt` keeps what
    is chained of it from being recognised once this row is gone. `principal` stands for the person in exports.
    """

    __tablename__ = "agreement"
    # So that the agreements which rest on each notice are counted without reading them.
    __table_args__ = (Index("ix_agreement_rests_on", "newsletter_id", "notice_hash", "subscription_id"),)

    id: str = Field(primary_key=True, max_length=26)
    newsletter_id: str = Field(foreign_key="newsletter.id", ondelete="CASCADE", max_length=26)
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
    terms_hash: str | None = Field(default=None, max_length=64)
    sale_reference: str | None = Field(
        default=None,
        max_length=100,
        sa_column_kwargs={
            "info": personal(
                Category.AGREEMENT, "proving the sale it rests on", "until the last subscription ends", "unconfirmed"
            )
        },
    )
    opt_out_shown: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    source: str | None = Field(default=None, max_length=200)
    evidence_hash: str | None = Field(default=None, max_length=64)
    principal: str = Field(default="", max_length=26, sa_column_kwargs={"server_default": ""})
    salt: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})
    seal: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})


class AgreementEvent(SQLModel, table=True):
    """One thing that happened to an agreement. Appended, never changed.

    `position` is its number in the newsletter's chain, or DUE or REFUSED; None while the request waits for its mailbox,
    for a request that nobody confirms leaves nothing.
    """

    __tablename__ = "agreement_event"
    __table_args__ = (Index("ix_agreement_event_position", "newsletter_id", "position"),)

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
    detail: str | None = Field(
        default=None,
        max_length=200,
        sa_column_kwargs={
            "info": personal(
                Category.AGREEMENT, "saying what was changed", "until the last subscription ends", "unconfirmed"
            )
        },
    )
    newsletter_id: str = Field(default="", max_length=26, sa_column_kwargs={"server_default": ""})
    position: int | None = Field(default=None, sa_type=BigInteger)
    seal: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})


class AgreementBlinding(SQLModel, table=True):
    """An erasure that is yet to be written into a newsletter's chain: the numbers of the events that went with it."""

    __tablename__ = "agreement_blinding"

    id: str = Field(primary_key=True, max_length=26)
    newsletter_id: str = Field(foreign_key="newsletter.id", ondelete="CASCADE", index=True, max_length=26)
    numbers: str
    seal: str = Field(max_length=32)
