"""What guards the console: limits, sessions that can be listed, recovery, second factors; keys with an end.

Who is signed in signs in once more: the sessions of before say neither since when they are nor from what device.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.drop_table("editor_session")
    op.create_table(
        "editor_session",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("editor_id", sa.String(length=26), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device", sa.String(length=60), nullable=False),
        sa.Column("short_password", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editor.id"], name=op.f("fk_editor_session_editor_id_editor"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_editor_session")),
        sa.UniqueConstraint("id", name=op.f("uq_editor_session_id")),
    )
    op.create_index(op.f("ix_editor_session_editor_id"), "editor_session", ["editor_id"], unique=False)
    op.create_index(op.f("ix_editor_session_expires_at"), "editor_session", ["expires_at"], unique=False)
    op.create_table(
        "sign_in_limit",
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("clear_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_sign_in_limit")),
    )
    op.create_index(op.f("ix_sign_in_limit_clear_at"), "sign_in_limit", ["clear_at"], unique=False)
    op.create_table(
        "editor_network",
        sa.Column("editor_id", sa.String(length=26), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editor.id"], name=op.f("fk_editor_network_editor_id_editor"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("editor_id", "tag", name=op.f("pk_editor_network")),
    )
    op.create_index(op.f("ix_editor_network_seen_at"), "editor_network", ["seen_at"], unique=False)
    op.create_table(
        "editor_recovery",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("editor_id", sa.String(length=26), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editor.id"], name=op.f("fk_editor_recovery_editor_id_editor"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editor_recovery")),
    )
    op.create_index(op.f("ix_editor_recovery_editor_id"), "editor_recovery", ["editor_id"], unique=False)
    op.create_index(op.f("ix_editor_recovery_expires_at"), "editor_recovery", ["expires_at"], unique=False)
    op.create_table(
        "editor_recovery_code",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("editor_id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editor.id"], name=op.f("fk_editor_recovery_code_editor_id_editor"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_editor_recovery_code")),
    )
    op.create_index(op.f("ix_editor_recovery_code_editor_id"), "editor_recovery_code", ["editor_id"], unique=False)
    op.create_table(
        "api_key_newsletter",
        sa.Column("key_id", sa.String(length=26), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_key.id"], name=op.f("fk_api_key_newsletter_key_id_api_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_api_key_newsletter_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key_id", "newsletter_id", name=op.f("pk_api_key_newsletter")),
    )
    op.create_index(op.f("ix_api_key_newsletter_newsletter_id"), "api_key_newsletter", ["newsletter_id"], unique=False)
    op.add_column(
        "api_key", sa.Column("every_newsletter", sa.Boolean(), server_default=sa.text("(true)"), nullable=False)
    )
    op.add_column("api_key", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_key", sa.Column("used_on", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_key", sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("editor", sa.Column("totp_locked", sa.String(length=255), nullable=True))
    op.add_column("editor", sa.Column("totp_step", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("letter", sa.Column("recovery_id", sa.String(length=26), nullable=True))
    op.create_index(op.f("ix_letter_recovery_id"), "letter", ["recovery_id"], unique=False)
    with op.batch_alter_table("letter") as batch:
        batch.create_foreign_key(
            op.f("fk_letter_recovery_id_editor_recovery"),
            "editor_recovery",
            ["recovery_id"],
            ["id"],
            ondelete="CASCADE",
        )
