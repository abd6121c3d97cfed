"""The companies that process data for us, and for which newsletters (GDPR art. 28). Companies only, never a reader."""

from datetime import date

from sqlmodel import Field, SQLModel


class Processor(SQLModel, table=True):
    """A company that processes data for us (GDPR art. 28)."""

    __tablename__ = "processor"

    id: str = Field(primary_key=True, max_length=26)
    name: str = Field(max_length=100)
    purpose: str = Field(max_length=200)
    country: str = Field(max_length=2)
    transfer_ground: str = Field(default="", max_length=200)
    contract_on: date | None = None
    every_newsletter: bool = True
    keeps_copies: bool = False


class ProcessorUse(SQLModel, table=True):
    """A newsletter that a processor works for, where it does not work for all."""

    __tablename__ = "processor_use"

    processor_id: str = Field(primary_key=True, foreign_key="processor.id", ondelete="CASCADE", max_length=26)
    newsletter_id: str = Field(
        primary_key=True, foreign_key="newsletter.id", ondelete="CASCADE", index=True, max_length=26
    )
