"""The audit trail: who did what in the console, by a key or on the command line, and to whom (RULES B6).

A row is only ever appended. It holds ids, never a name, an address or what was searched for: the id of somebody who
was erased points nowhere. It stands under no foreign key, so that nothing that is deleted takes its trail along. Its
seal is keyed with the root secret, which is not in the database, so that a row that was changed or planted is found.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal

RULE = "audit trail"
# Before it has a number in the chain: due; or left out, because its seal is not ours.
DUE, REFUSED = 0, -1
_PURPOSE = "showing who read or changed personal data"
_RETENTION = "two years, unless it is set otherwise"


class AuditEntry(SQLModel, table=True):
    """One act. `actor` is an editor's id, `key/` and the id of an API key, `cli`, or `nobody`; `count` is how many
    were concerned; `position` is its number in the chain of the trail, DUE until it is chained.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_at", "at", "id"),
        Index("ix_audit_entry_actor", "actor", "at", "id"),
        Index("ix_audit_entry_act", "act", "at", "id"),
        Index("ix_audit_entry_subject_id", "subject_id", "at", "id"),
    )

    id: str = Field(primary_key=True, max_length=26)
    at: datetime = Field(sa_type=Moment)
    actor: str = Field(max_length=40, sa_column_kwargs={"info": personal(Category.ACCOUNT, _PURPOSE, _RETENTION, RULE)})
    act: str = Field(max_length=40)
    subject_id: str | None = Field(default=None, max_length=26)
    newsletter_id: str | None = Field(default=None, max_length=26)
    count: int | None = None
    salt: str = Field(max_length=26)
    seal: str = Field(max_length=32)
    position: int = Field(default=DUE, sa_type=BigInteger, index=True)
