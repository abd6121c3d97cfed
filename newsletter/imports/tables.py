"""An import: one file of people, what was said of it, and how far it has come.

The file itself lies in the data folder and is deleted when the import is over (RULES C7). What stays is the evidence:
where the people came from, on which basis, under which notice, and the hash of the file and of its proof. A refused row
is kept for a while by its number and the reason, never by an address; whoever is withheld because they left or objected
is only counted.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from newsletter.database import Moment

RULE = "imports"


class ImportState(StrEnum):
    """Where an import stands."""

    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Mode(StrEnum):
    """What becomes of the people: each is asked, or has agreed before, or must not be mailed."""

    CONFIRM = "confirm"
    AGREED = "agreed"
    SUPPRESS = "suppress"


class Import(SQLModel, table=True):
    """One file. `done_to` counts the bytes that have been dealt with, `size` those that there are."""

    __tablename__ = "import_job"

    id: str = Field(primary_key=True, max_length=26)
    newsletter_id: str = Field(foreign_key="newsletter.id", ondelete="CASCADE", index=True, max_length=26)
    actor: str = Field(max_length=40)
    state: str = Field(max_length=16, index=True)
    mode: str = Field(default=Mode.CONFIRM, max_length=16)
    file_name: str = Field(default="", max_length=200)
    size: int = Field(sa_type=BigInteger)
    file_hash: str = Field(max_length=64)
    encoding: str = Field(max_length=16)
    delimiter: str = Field(max_length=1)
    columns: str = Field(default="{}", max_length=2000)
    gdpr_basis: str = Field(default="", max_length=16)
    marketing_basis: str = Field(default="", max_length=24)
    opt_out_shown: bool = False
    notice: str = Field(default="", max_length=64)
    source: str = Field(default="", max_length=200)
    evidence_hash: str = Field(default="", max_length=64)
    done_to: int = Field(default=0, sa_type=BigInteger)
    row: int = 0
    rows: int = 0
    accepted: int = 0
    known: int = 0
    refused: int = 0
    withheld: int = 0
    trouble: str | None = Field(default=None, max_length=500)
    created_at: datetime = Field(sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    holder: str = Field(default="", max_length=40)
    leased_until: float = 0.0


class ImportRefusal(SQLModel, table=True):
    """A row that was not taken, by its number in the file, and why."""

    __tablename__ = "import_refusal"

    import_id: str = Field(primary_key=True, foreign_key="import_job.id", ondelete="CASCADE", max_length=26)
    row: int = Field(primary_key=True)
    reason: str = Field(max_length=40)
