"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    op.create_table(
        "editor",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("canonical", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editor")),
        sa.UniqueConstraint("canonical", name=op.f("uq_editor_canonical")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("worker", sa.String(length=100), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "newsletter",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("sender_name", sa.String(length=100), nullable=False),
        sa.Column("sender_address", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("measurement", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_newsletter")),
        sa.UniqueConstraint("slug", name=op.f("uq_newsletter_slug")),
    )
    op.create_table(
        "notice",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("label", sa.String(length=500), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_notice")),
    )
    op.create_table(
        "result",
        sa.Column("mailing_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=8), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("enhanced", sa.String(length=12), nullable=True),
        sa.Column("retry_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("mailing_id", "number", "attempt", name=op.f("pk_result")),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("canonical", sa.String(length=254), nullable=False),
        sa.Column("given_name", sa.String(length=64), nullable=True),
        sa.Column("family_name", sa.String(length=64), nullable=True),
        sa.Column("title", sa.String(length=64), nullable=True),
        sa.Column("employer", sa.String(length=64), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("canonical", name=op.f("uq_subscriber_canonical")),
    )
    op.create_table(
        "tally",
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("dead", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tag", "hour", name=op.f("pk_tally")),
    )
    op.create_table(
        "dead_signal",
        sa.Column("subscriber_id", sa.String(length=26), nullable=False),
        sa.Column("mailing_id", sa.String(length=26), nullable=True),
        sa.Column("domain_tag", sa.String(length=64), nullable=False),
        sa.Column("enhanced", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_dead_signal_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", name=op.f("pk_dead_signal")),
    )
    op.create_index(op.f("ix_dead_signal_domain_tag"), "dead_signal", ["domain_tag"], unique=False)
    op.create_table(
        "editor_session",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("editor_id", sa.String(length=26), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editor.id"], name=op.f("fk_editor_session_editor_id_editor"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_editor_session")),
    )
    op.create_index(op.f("ix_editor_session_editor_id"), "editor_session", ["editor_id"], unique=False)
    op.create_index(op.f("ix_editor_session_expires_at"), "editor_session", ["expires_at"], unique=False)
    op.create_table(
        "issue",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_issue_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue")),
        sa.UniqueConstraint("newsletter_id", "number", name=op.f("uq_issue_newsletter_id_number")),
    )
    op.create_index(op.f("ix_issue_newsletter_id"), "issue", ["newsletter_id"], unique=False)
    op.create_table(
        "notice_use",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.Column("notice_hash", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_notice_use_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["notice_hash"], ["notice.hash"], name=op.f("fk_notice_use_notice_hash_notice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_use")),
    )
    op.create_index(op.f("ix_notice_use_newsletter_id"), "notice_use", ["newsletter_id"], unique=False)
    op.create_table(
        "signup_request",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("canonical", sa.String(length=254), nullable=True),
        sa.Column("given_name", sa.String(length=64), nullable=True),
        sa.Column("family_name", sa.String(length=64), nullable=True),
        sa.Column("title", sa.String(length=64), nullable=True),
        sa.Column("employer", sa.String(length=64), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subscriber_id", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_signup_request_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_signup_request_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signup_request")),
    )
    op.create_index(op.f("ix_signup_request_canonical"), "signup_request", ["canonical"], unique=False)
    op.create_index(op.f("ix_signup_request_expires_at"), "signup_request", ["expires_at"], unique=False)
    op.create_index(op.f("ix_signup_request_newsletter_id"), "signup_request", ["newsletter_id"], unique=False)
    op.create_index(op.f("ix_signup_request_subscriber_id"), "signup_request", ["subscriber_id"], unique=False)
    op.create_table(
        "subscription",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("subscriber_id", sa.String(length=26), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_subscription_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_subscription_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    op.create_index(
        "ix_subscription_current",
        "subscription",
        ["newsletter_id", "subscriber_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_index(op.f("ix_subscription_subscriber_id"), "subscription", ["subscriber_id"], unique=False)
    op.create_table(
        "agreement",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.Column("request_id", sa.String(length=26), nullable=True),
        sa.Column("subscription_id", sa.String(length=26), nullable=True),
        sa.Column("notice_hash", sa.String(length=64), nullable=False),
        sa.Column("form_hash", sa.String(length=64), nullable=False),
        sa.Column("control_label", sa.String(length=500), nullable=False),
        sa.Column("witnessed", sa.Boolean(), nullable=False),
        sa.Column("jurisdiction", sa.String(length=2), nullable=False),
        sa.Column("gdpr_basis", sa.String(length=16), nullable=False),
        sa.Column("marketing_basis", sa.String(length=24), nullable=False),
        sa.Column("collection", sa.String(length=16), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_agreement_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["notice_hash"], ["notice.hash"], name=op.f("fk_agreement_notice_hash_notice")),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["signup_request.id"],
            name=op.f("fk_agreement_request_id_signup_request"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_agreement_subscription_id_subscription"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
    )
    op.create_index(op.f("ix_agreement_newsletter_id"), "agreement", ["newsletter_id"], unique=False)
    op.create_index(op.f("ix_agreement_request_id"), "agreement", ["request_id"], unique=False)
    op.create_index(op.f("ix_agreement_subscription_id"), "agreement", ["subscription_id"], unique=False)
    op.create_table(
        "count",
        sa.Column("issue_id", sa.String(length=26), nullable=False),
        sa.Column("link", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_count_issue_id_issue"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue_id", "link", "verdict", "hour", name=op.f("pk_count")),
    )
    op.create_table(
        "issue_link",
        sa.Column("issue_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issue.id"], name=op.f("fk_issue_link_issue_id_issue"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", "number", name=op.f("pk_issue_link")),
    )
    op.create_table(
        "letter",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("request_id", sa.String(length=26), nullable=True),
        sa.Column("subscription_id", sa.String(length=26), nullable=True),
        sa.Column("issue_id", sa.String(length=26), nullable=True),
        sa.Column("editor_id", sa.String(length=26), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editor.id"], name=op.f("fk_letter_editor_id_editor"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_letter_issue_id_issue"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["signup_request.id"],
            name=op.f("fk_letter_request_id_signup_request"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_letter_subscription_id_subscription"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
    )
    op.create_index(op.f("ix_letter_due_at"), "letter", ["due_at"], unique=False)
    op.create_index(op.f("ix_letter_editor_id"), "letter", ["editor_id"], unique=False)
    op.create_index(op.f("ix_letter_issue_id"), "letter", ["issue_id"], unique=False)
    op.create_index(op.f("ix_letter_request_id"), "letter", ["request_id"], unique=False)
    op.create_index(op.f("ix_letter_subscription_id"), "letter", ["subscription_id"], unique=False)
    op.create_table(
        "mailing",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("issue_id", sa.String(length=26), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_mailing_issue_id_issue"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_mailing_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailing")),
        sa.UniqueConstraint("issue_id", name=op.f("uq_mailing_issue_id")),
    )
    op.create_index(op.f("ix_mailing_newsletter_id"), "mailing", ["newsletter_id"], unique=False)
    op.create_index(op.f("ix_mailing_state"), "mailing", ["state"], unique=False)
    op.create_table(
        "measurement_key",
        sa.Column("issue_id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("hours_from", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issue.id"], name=op.f("fk_measurement_key_issue_id_issue"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_measurement_key")),
    )
    op.create_table(
        "seen",
        sa.Column("issue_id", sa.String(length=26), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_seen_issue_id_issue"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issue_id", "mark", name=op.f("pk_seen")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "agreement_event",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("agreement_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("source_page", sa.String(length=500), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["agreement.id"],
            name=op.f("fk_agreement_event_agreement_id_agreement"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_event")),
    )
    op.create_index(op.f("ix_agreement_event_agreement_id"), "agreement_event", ["agreement_id"], unique=False)
    op.create_table(
        "block",
        sa.Column("mailing_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        sa.Column("done_to", sa.Integer(), nullable=False),
        sa.Column("marked_to", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("pass_at", sa.Float(), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=True),
        sa.Column("lease", sa.String(length=26), nullable=True),
        sa.Column("leased_until", sa.Float(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("deferred", sa.Integer(), nullable=False),
        sa.Column("in_doubt", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_block_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailing_id", "number", name=op.f("pk_block")),
    )
    op.create_index("ix_block_due", "block", ["mailing_id", "finished", "due_at"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("mailing_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subscription_id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_delivery_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_delivery_subscription_id_subscription"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mailing_id", "number", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_subscription_id"), "delivery", ["subscription_id"], unique=False)
