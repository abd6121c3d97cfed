"""How the ways in are, and which alarms were seen."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "alarm_seen",
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_alarm_seen")),
    )
    op.create_table(
        "listening",
        sa.Column("worker", sa.String(length=100), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("trouble", sa.String(length=100), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_listening")),
    )
    op.add_column("mailbox", sa.Column("server", sa.String(length=300), nullable=True))
    op.add_column("mailbox", sa.Column("trouble", sa.String(length=100), nullable=True))
    op.add_column("mailbox", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mailbox", sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mailbox", sa.Column("again_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("received", sa.Column("last_at", sa.DateTime(timezone=True), nullable=True))
