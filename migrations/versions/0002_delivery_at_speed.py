"""Delivery at speed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "pace",
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("full_at", sa.Float(), nullable=False),
        sa.Column("queue_at", sa.Float(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("troubled_at", sa.Float(), nullable=False),
        sa.Column("trouble", sa.String(length=16), nullable=True),
        sa.Column("base", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_pace")),
    )
    op.create_table(
        "sending_day",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("domain", "day", name=op.f("pk_sending_day")),
    )
    op.add_column("mailing", sa.Column("sampled_at", sa.Float(), nullable=True))
    op.add_column("mailing", sa.Column("sampled_done", sa.Integer(), nullable=True))
    op.add_column("mailing", sa.Column("earlier_at", sa.Float(), nullable=True))
    op.add_column("mailing", sa.Column("earlier_done", sa.Integer(), nullable=True))
    op.add_column("mailing", sa.Column("trouble", sa.String(length=500), nullable=True))
    op.add_column("mailing", sa.Column("reopened", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))
    op.add_column("result", sa.Column("reply", sa.String(length=200), nullable=True))
    op.add_column("result", sa.Column("let_be", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))
    op.create_index(
        "ix_result_in_doubt",
        "result",
        ["mailing_id", "number"],
        unique=False,
        sqlite_where=sa.text("outcome = 'in_doubt'"),
        postgresql_where=sa.text("outcome = 'in_doubt'"),
    )
