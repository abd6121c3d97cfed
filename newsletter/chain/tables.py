"""Chains: numbered entries, each of which holds the hash of the one before it.

An entry holds no more of what it stands for than a leaf, which only whoever has the thing itself and its salt can
make. Each previous hash is unique in its chain, so that a fork can't be stored.
"""

from datetime import datetime

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from newsletter.database import Moment


class ChainEntry(SQLModel, table=True):
    """One entry. `hash` is the SHA-256 over all of it but `seal`, which is ours over that hash."""

    __tablename__ = "chain_entry"
    __table_args__ = (UniqueConstraint("chain", "previous", name="uq_chain_entry_previous"),)

    chain: str = Field(primary_key=True, max_length=64)
    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(max_length=16)
    leaf: str | None = Field(default=None, max_length=64)
    body: str | None = None
    previous: str = Field(max_length=64)
    hash: str = Field(max_length=64)
    seal: str = Field(max_length=32)


class SigningKey(SQLModel, table=True):
    """A public key that heads and exports are, or were, signed with; `statement` is its signed introduction."""

    __tablename__ = "signing_key"

    id: str = Field(primary_key=True, max_length=43)
    statement: str
    introduced_at: datetime = Field(sa_type=Moment)
