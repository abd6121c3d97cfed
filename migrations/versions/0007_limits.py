"""How much strangers may cause."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "limit_bucket",
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("tail", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_limit_bucket")),
    )
    op.create_table(
        "limit_address",
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("times", sa.String(length=2000), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_limit_address")),
    )
    op.create_table(
        "limit_over",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "kind", name=op.f("pk_limit_over")),
    )
    op.add_column("letter", sa.Column("counted", sa.Boolean(), server_default=sa.text("false"), nullable=False))
