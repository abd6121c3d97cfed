"""Editors, what guards their signing in, and API keys. Secrets are stored only as hashes (RULES H5).

What says where somebody came from or which address they tried is a keyed hash, and goes soon (RULES H1, C5).
"""

from datetime import datetime

from sqlalchemy import BigInteger, text
from sqlmodel import Field, SQLModel

from newsletter.database import Moment
from newsletter.personal import Category, personal

RULE = "editor removed"
SESSIONS, LIMITS, NETWORKS = "editor sessions", "sign-in limits", "editor networks"
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
    # The secret that the editor's telephone makes codes with, locked with the root secret; and the last code's step.
    totp_locked: str | None = Field(default=None, max_length=255)
    totp_step: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class EditorSession(SQLModel, table=True):
    """A signed-in browser. Only the hash of its cookie is kept; `id` is by what its editor names it.

    `seen_at` is exact to ten minutes, and `device` no more than "Firefox on Linux".
    """

    __tablename__ = "editor_session"

    key_hash: str = Field(primary_key=True, max_length=64)
    id: str = Field(unique=True, max_length=26)
    editor_id: str = Field(foreign_key="editor.id", ondelete="CASCADE", index=True, max_length=26)
    begun_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment, index=True)
    device: str = Field(
        max_length=60,
        sa_column_kwargs={
            "info": personal(Category.ACCOUNT, "recognising one's own sign-ins", "until the sign-in ends", SESSIONS)
        },
    )
    short_password: bool = False


class SignInLimit(SQLModel, table=True):
    """How many tries are left for an account or a network, as the time at which all of them are again (`rules.py`).

    The tag is a keyed hash of what was typed or of the network: an account that does not exist has its limit, too.
    """

    __tablename__ = "sign_in_limit"

    tag: str = Field(
        primary_key=True,
        max_length=64,
        sa_column_kwargs={
            "info": personal(Category.ACCOUNT, "keeping others out of the console", "at most two hours", LIMITS)
        },
    )
    clear_at: datetime = Field(sa_type=Moment, index=True)


class EditorNetwork(SQLModel, table=True):
    """A network from which an editor has signed in, as a keyed hash: it keeps its turn while strangers try."""

    __tablename__ = "editor_network"

    editor_id: str = Field(foreign_key="editor.id", ondelete="CASCADE", primary_key=True, max_length=26)
    tag: str = Field(
        primary_key=True,
        max_length=64,
        sa_column_kwargs={
            "info": personal(
                Category.ACCOUNT,
                "letting editors in while others try their passwords",
                "60 days after signing in from there",
                NETWORKS,
            )
        },
    )
    seen_at: datetime = Field(sa_type=Moment, index=True)


class EditorRecovery(SQLModel, table=True):
    """Somebody has asked for a link to a new password; `editor_id` is None where there is no such editor.

    It is deleted when it is used.
    """

    __tablename__ = "editor_recovery"

    id: str = Field(primary_key=True, max_length=26)
    editor_id: str | None = Field(default=None, foreign_key="editor.id", ondelete="CASCADE", index=True, max_length=26)
    language: str = Field(max_length=8)
    mailed_at: datetime | None = Field(default=None, sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment, index=True)


class RecoveryCode(SQLModel, table=True):
    """One of the codes that stand in for the telephone, as a keyed hash. It is deleted when it is used."""

    __tablename__ = "editor_recovery_code"

    code_hash: str = Field(primary_key=True, max_length=64)
    editor_id: str = Field(foreign_key="editor.id", ondelete="CASCADE", index=True, max_length=26)


class ApiKey(SQLModel, table=True):
    """A key with which another program uses the API, within its scopes (RULES H8).

    It is for every newsletter, or for those that `ApiKeyNewsletter` names. Of a revoked one the name is left, so that
    the audit trail says who it was.
    """

    __tablename__ = "api_key"

    id: str = Field(primary_key=True, max_length=26)
    name: str = Field(max_length=100)
    key_hash: str = Field(unique=True, max_length=64)
    scopes: str = Field(max_length=500)
    every_newsletter: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    used_on: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


class ApiKeyNewsletter(SQLModel, table=True):
    """A newsletter that a key is for."""

    __tablename__ = "api_key_newsletter"

    key_id: str = Field(foreign_key="api_key.id", ondelete="CASCADE", primary_key=True, max_length=26)
    newsletter_id: str = Field(
        foreign_key="newsletter.id", ondelete="CASCADE", primary_key=True, index=True, max_length=26
    )
