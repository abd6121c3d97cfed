"""What comes back."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "came_back",
        sa.Column("mailing_id", sa.String(length=26), nullable=False),
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("at_once", sa.Boolean(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mailing_id", "day", "domain", "verdict", "code", "at_once", name=op.f("pk_came_back")),
    )
    op.create_index(op.f("ix_came_back_day"), "came_back", ["day"], unique=False)
    op.create_table(
        "mailbox",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("poller", sa.String(length=100), nullable=False),
        sa.Column("leased_until", sa.Float(), nullable=False),
        sa.Column("validity", sa.BigInteger(), nullable=False),
        sa.Column("seen_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox")),
    )
    op.create_table(
        "used_token",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_used_token")),
    )
    op.create_index(op.f("ix_used_token_used_at"), "used_token", ["used_at"], unique=False)
