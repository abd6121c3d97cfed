"""Editors, their sessions, and API keys. Secrets are stored only as hashes (RULES H5)."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal

RULE = "editor removed"
_RETENTION = "until the editor is removed; the name as long as the audit trail tells what they did"


class Editor(SQLModel, table=True):
    """A person who signs in to the console, or did: of a removed one only the name is left."""

    __tablename__ = "editor"

    id: str = Field(primary_key=True, max_length=26)
    email: str = Field(
        max_length=254, sa_column_kwargs={"info": personal(Category.ACCOUNT, "signing in", _RETENTION, RULE)}
    )
    canonical: str = Field(
        max_length=254,
        unique=True,
        sa_column_kwargs={"info": personal(Category.ACCOUNT, "signing in", _RETENTION, RULE)},
    )
    name: str = Field(
        max_length=100, sa_column_kwargs={"info": personal(Category.ACCOUNT, "signing in", _RETENTION, RULE)}
    )
    password_hash: str = Field(max_length=255)
    created_at: datetime = Field(sa_type=Moment)
    removed_at: datetime | None = Field(default=None, sa_type=Moment)


class EditorSession(SQLModel, table=True):
    """A signed-in browser. Only the hash of its cookie is kept."""

    __tablename__ = "editor_session"

    key_hash: str = Field(primary_key=True, max_length=64)
    editor_id: str = Field(foreign_key="editor.id", ondelete="CASCADE", index=True, max_length=26)
    expires_at: datetime = Field(sa_type=Moment, index=True)


class ApiKey(SQLModel, table=True):
    """A key with which another program uses the API, within its scopes (RULES H8)."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True, max_length=26)
    name: str = Field(max_length=100)
    key_hash: str = Field(unique=True, max_length=64)
    scopes: str = Field(max_length=500)
    created_at: datetime = Field(sa_type=Moment)
