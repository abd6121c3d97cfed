"""Agreements, rights and erasure."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "agreement_terms",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_agreement_terms")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=26), nullable=True),
        sa.Column("newsletter_id", sa.String(length=26), nullable=True),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("salt", sa.String(length=26), nullable=False),
        sa.Column("seal", sa.String(length=32), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_act", "audit_entry", ["act", "at", "id"], unique=False)
    op.create_index("ix_audit_entry_actor", "audit_entry", ["actor", "at", "id"], unique=False)
    op.create_index("ix_audit_entry_at", "audit_entry", ["at", "id"], unique=False)
    op.create_index(op.f("ix_audit_entry_position"), "audit_entry", ["position"], unique=False)
    op.create_index("ix_audit_entry_subject_id", "audit_entry", ["subject_id", "at", "id"], unique=False)
    op.create_table(
        "chain_entry",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=True),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("chain", "number", name=op.f("pk_chain_entry")),
        sa.UniqueConstraint("chain", "previous", name="uq_chain_entry_previous"),
    )
    op.create_table(
        "processor",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("transfer_ground", sa.String(length=200), nullable=False),
        sa.Column("contract_on", sa.Date(), nullable=True),
        sa.Column("every_newsletter", sa.Boolean(), nullable=False),
        sa.Column("keeps_copies", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processor")),
    )
    op.create_table(
        "received",
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("taken", sa.String(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "way", "taken", name=op.f("pk_received")),
    )
    op.create_table(
        "retention_run",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purged", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("error", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_run")),
    )
    op.create_index("ix_retention_run_at", "retention_run", ["at", "id"], unique=False)
    op.create_index("ix_retention_run_rule", "retention_run", ["rule", "at"], unique=False)
    op.create_table(
        "retention_state",
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purged", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("rule", name=op.f("pk_retention_state")),
    )
    op.create_table(
        "rewriting",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rewriting")),
    )
    op.create_table(
        "signing_key",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("introduced_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_key")),
    )
    op.create_table(
        "tag_epoch",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_epoch")),
    )
    op.create_index(op.f("ix_tag_epoch_purpose"), "tag_epoch", ["purpose"], unique=False)
    op.create_table(
        "address_change",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("subscriber_id", sa.String(length=26), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("canonical", sa.String(length=254), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_address_change_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_change")),
    )
    op.create_index(op.f("ix_address_change_canonical"), "address_change", ["canonical"], unique=False)
    op.create_index(op.f("ix_address_change_expires_at"), "address_change", ["expires_at"], unique=False)
    op.create_index(op.f("ix_address_change_subscriber_id"), "address_change", ["subscriber_id"], unique=False)
    op.create_table(
        "agreement_blinding",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.Column("numbers", sa.String(), nullable=False),
        sa.Column("seal", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_agreement_blinding_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_blinding")),
    )
    op.create_index(op.f("ix_agreement_blinding_newsletter_id"), "agreement_blinding", ["newsletter_id"], unique=False)
    op.create_table(
        "first_signal",
        sa.Column("subscriber_id", sa.String(length=26), nullable=False),
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_first_signal_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", name=op.f("pk_first_signal")),
    )
    op.create_table(
        "import_job",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("file_hash", sa.String(length=64), nullable=False),
        sa.Column("encoding", sa.String(length=16), nullable=False),
        sa.Column("delimiter", sa.String(length=1), nullable=False),
        sa.Column("columns", sa.String(length=2000), nullable=False),
        sa.Column("gdpr_basis", sa.String(length=16), nullable=False),
        sa.Column("marketing_basis", sa.String(length=24), nullable=False),
        sa.Column("opt_out_shown", sa.Boolean(), nullable=False),
        sa.Column("notice", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("evidence_hash", sa.String(length=64), nullable=False),
        sa.Column("done_to", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("leased_until", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_import_job_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_job")),
    )
    op.create_index(op.f("ix_import_job_newsletter_id"), "import_job", ["newsletter_id"], unique=False)
    op.create_index(op.f("ix_import_job_state"), "import_job", ["state"], unique=False)
    op.create_table(
        "notice_draft",
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("label", sa.String(length=500), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_notice_draft_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("newsletter_id", "language", name=op.f("pk_notice_draft")),
    )
    op.create_table(
        "notice_mailing",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.Column("notice_hash", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cursor", sa.String(length=26), nullable=False),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("renewed", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_notice_mailing_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["notice_hash"], ["notice.hash"], name=op.f("fk_notice_mailing_notice_hash_notice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_mailing")),
    )
    op.create_index(op.f("ix_notice_mailing_newsletter_id"), "notice_mailing", ["newsletter_id"], unique=False)
    op.create_index(op.f("ix_notice_mailing_state"), "notice_mailing", ["state"], unique=False)
    op.create_table(
        "processor_use",
        sa.Column("processor_id", sa.String(length=26), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_processor_use_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["processor_id"],
            ["processor.id"],
            name=op.f("fk_processor_use_processor_id_processor"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("processor_id", "newsletter_id", name=op.f("pk_processor_use")),
    )
    op.create_index(op.f("ix_processor_use_newsletter_id"), "processor_use", ["newsletter_id"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("epoch_id", sa.String(length=26), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=False),
        sa.Column("agreement_id", sa.String(length=26), nullable=False),
        sa.Column("notice_hash", sa.String(length=64), nullable=False),
        sa.Column("given_on", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_on", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["epoch_id"], ["tag_epoch.id"], name=op.f("fk_receipt_epoch_id_tag_epoch")),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_receipt_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )
    op.create_index(op.f("ix_receipt_epoch_id"), "receipt", ["epoch_id"], unique=False)
    op.create_index(op.f("ix_receipt_expires_at"), "receipt", ["expires_at"], unique=False)
    op.create_index(op.f("ix_receipt_newsletter_id"), "receipt", ["newsletter_id"], unique=False)
    op.create_index(op.f("ix_receipt_tag"), "receipt", ["tag"], unique=False)
    op.create_table(
        "rights_request",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("arrival", sa.String(length=16), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("editor_id", sa.String(length=26), nullable=True),
        sa.Column("identified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editor.id"], name=op.f("fk_rights_request_editor_id_editor"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rights_request")),
    )
    op.create_index(op.f("ix_rights_request_closed_on"), "rights_request", ["closed_on"], unique=False)
    op.create_index(op.f("ix_rights_request_editor_id"), "rights_request", ["editor_id"], unique=False)
    op.create_table(
        "suppression",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("epoch_id", sa.String(length=26), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("newsletter_id", sa.String(length=26), nullable=True),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["epoch_id"], ["tag_epoch.id"], name=op.f("fk_suppression_epoch_id_tag_epoch")),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletter.id"],
            name=op.f("fk_suppression_newsletter_id_newsletter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    op.create_index(op.f("ix_suppression_epoch_id"), "suppression", ["epoch_id"], unique=False)
    op.create_index(op.f("ix_suppression_expires_at"), "suppression", ["expires_at"], unique=False)
    op.create_index(op.f("ix_suppression_newsletter_id"), "suppression", ["newsletter_id"], unique=False)
    op.create_index(op.f("ix_suppression_tag"), "suppression", ["tag"], unique=False)
    op.create_table(
        "telling",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("recipient", sa.String(length=100), nullable=False),
        sa.Column("about", sa.String(length=16), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("editor_id", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editor.id"], name=op.f("fk_telling_editor_id_editor"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telling")),
    )
    op.create_index(op.f("ix_telling_editor_id"), "telling", ["editor_id"], unique=False)
    op.create_table(
        "tombstone",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("epoch_id", sa.String(length=26), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("subject_tag", sa.String(length=64), nullable=True),
        sa.Column("newsletter_id", sa.String(length=26), nullable=True),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["epoch_id"], ["tag_epoch.id"], name=op.f("fk_tombstone_epoch_id_tag_epoch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstone")),
    )
    op.create_index(op.f("ix_tombstone_epoch_id"), "tombstone", ["epoch_id"], unique=False)
    op.create_index(op.f("ix_tombstone_expires_at"), "tombstone", ["expires_at"], unique=False)
    op.create_index(op.f("ix_tombstone_filed"), "tombstone", ["filed"], unique=False)
    op.create_index(op.f("ix_tombstone_tag"), "tombstone", ["tag"], unique=False)
    op.create_table(
        "import_refusal",
        sa.Column("import_id", sa.String(length=26), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["import_job.id"],
            name=op.f("fk_import_refusal_import_id_import_job"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_id", "row", name=op.f("pk_import_refusal")),
    )
    op.create_table(
        "my_visit",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("canonical", sa.String(length=254), nullable=True),
        sa.Column("subscriber_id", sa.String(length=26), nullable=True),
        sa.Column("request_id", sa.String(length=26), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["signup_request.id"],
            name=op.f("fk_my_visit_request_id_signup_request"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_my_visit_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_my_visit")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_my_visit_key_hash")),
    )
    op.create_index(op.f("ix_my_visit_canonical"), "my_visit", ["canonical"], unique=False)
    op.create_index(op.f("ix_my_visit_expires_at"), "my_visit", ["expires_at"], unique=False)
    op.create_index(op.f("ix_my_visit_request_id"), "my_visit", ["request_id"], unique=False)
    op.create_index(op.f("ix_my_visit_subscriber_id"), "my_visit", ["subscriber_id"], unique=False)
    op.create_table(
        "renewal_letter",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("occasion", sa.String(length=40), nullable=False),
        sa.Column("mailing_id", sa.String(length=26), nullable=True),
        sa.Column("subscription_id", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"],
            ["notice_mailing.id"],
            name=op.f("fk_renewal_letter_mailing_id_notice_mailing"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_renewal_letter_subscription_id_subscription"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal_letter")),
        sa.UniqueConstraint(
            "subscription_id",
            "kind",
            "occasion",
            name=op.f("uq_renewal_letter_subscription_id_kind_occasion"),
        ),
    )
    op.create_index("ix_renewal_letter_state", "renewal_letter", ["mailing_id", "state", "at"], unique=False)
    op.create_table(
        "rights_step",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("request_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("editor_id", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editor.id"], name=op.f("fk_rights_step_editor_id_editor"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["rights_request.id"],
            name=op.f("fk_rights_step_request_id_rights_request"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rights_step")),
    )
    op.create_index(op.f("ix_rights_step_editor_id"), "rights_step", ["editor_id"], unique=False)
    op.create_index(op.f("ix_rights_step_request_id"), "rights_step", ["request_id"], unique=False)
    op.create_table(
        "rights_subject",
        sa.Column("request_id", sa.String(length=26), nullable=False),
        sa.Column("subscriber_id", sa.String(length=26), nullable=True),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("identity", sa.String(length=500), nullable=False),
        sa.Column("note", sa.String(length=4000), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["rights_request.id"],
            name=op.f("fk_rights_subject_request_id_rights_request"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_rights_subject_subscriber_id_subscriber"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_rights_subject")),
    )
    op.create_index(op.f("ix_rights_subject_subscriber_id"), "rights_subject", ["subscriber_id"], unique=False)
    op.create_table(
        "alarm",
        sa.Column("mailing_id", sa.String(length=26), nullable=False),
        sa.Column("after", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("weighed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_alarm_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailing_id", "after", name=op.f("pk_alarm")),
    )
    op.create_table(
        "report",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("mailing_id", sa.String(length=26), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("subscription_id", sa.String(length=26), nullable=True),
        sa.Column("request_id", sa.String(length=26), nullable=True),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_on", sa.DateTime(timezone=True), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=True),
        sa.Column("reply", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_report_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["signup_request.id"],
            name=op.f("fk_report_request_id_signup_request"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_report_subscription_id_subscription"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
    )
    op.create_index(op.f("ix_report_due_at"), "report", ["due_at"], unique=False)
    op.create_index(op.f("ix_report_mailing_id"), "report", ["mailing_id"], unique=False)
    op.create_index(op.f("ix_report_received_at"), "report", ["received_at"], unique=False)
    op.create_index(op.f("ix_report_request_id"), "report", ["request_id"], unique=False)
    op.create_index(op.f("ix_report_subscription_id"), "report", ["subscription_id"], unique=False)
    op.create_table(
        "returned",
        sa.Column("mailing_id", sa.String(length=26), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_returned_mailing_id_mailing"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailing_id", "what", name=op.f("pk_returned")),
    )
    op.add_column("agreement", sa.Column("terms_hash", sa.String(length=64), nullable=True))
    op.add_column("agreement", sa.Column("sale_reference", sa.String(length=100), nullable=True))
    op.add_column(
        "agreement",
        sa.Column("opt_out_shown", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
    )
    op.add_column("agreement", sa.Column("source", sa.String(length=200), nullable=True))
    op.add_column("agreement", sa.Column("evidence_hash", sa.String(length=64), nullable=True))
    op.add_column("agreement", sa.Column("principal", sa.String(length=26), server_default="", nullable=False))
    op.add_column("agreement", sa.Column("salt", sa.String(length=32), server_default="", nullable=False))
    op.add_column("agreement", sa.Column("seal", sa.String(length=32), server_default="", nullable=False))
    op.drop_index(op.f("ix_agreement_newsletter_id"), table_name="agreement")
    op.create_index(
        "ix_agreement_rests_on",
        "agreement",
        ["newsletter_id", "notice_hash", "subscription_id"],
        unique=False,
    )
    op.add_column("agreement_event", sa.Column("detail", sa.String(length=200), nullable=True))
    op.add_column(
        "agreement_event", sa.Column("newsletter_id", sa.String(length=26), server_default="", nullable=False)
    )
    op.add_column("agreement_event", sa.Column("position", sa.BigInteger(), nullable=True))
    op.add_column("agreement_event", sa.Column("seal", sa.String(length=32), server_default="", nullable=False))
    op.create_index("ix_agreement_event_position", "agreement_event", ["newsletter_id", "position"], unique=False)
    op.add_column("dead_signal", sa.Column("sent_on", sa.DateTime(timezone=True), nullable=True))
    op.add_column("editor", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("letter", sa.Column("visit_id", sa.String(length=26), nullable=True))
    op.add_column("letter", sa.Column("change_id", sa.String(length=26), nullable=True))
    op.add_column("letter", sa.Column("bulk", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))
    op.drop_index(op.f("ix_letter_due_at"), table_name="letter")
    op.create_index(op.f("ix_letter_change_id"), "letter", ["change_id"], unique=False)
    op.create_index("ix_letter_due", "letter", ["bulk", "due_at"], unique=False)
    op.create_index(op.f("ix_letter_visit_id"), "letter", ["visit_id"], unique=False)
    with op.batch_alter_table("letter") as batch:
        batch.create_foreign_key(
            op.f("fk_letter_change_id_address_change"),
            "address_change",
            ["change_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch.create_foreign_key(
            op.f("fk_letter_visit_id_my_visit"), "my_visit", ["visit_id"], ["id"], ondelete="CASCADE"
        )
    op.add_column("newsletter", sa.Column("controller_name", sa.String(length=100), nullable=True))
    op.add_column("newsletter", sa.Column("controller_organisation_number", sa.String(length=30), nullable=True))
    op.add_column("newsletter", sa.Column("controller_address", sa.String(length=200), nullable=True))
    op.add_column("newsletter", sa.Column("privacy_contact", sa.String(length=254), nullable=True))
    op.add_column("newsletter", sa.Column("data_protection_officer", sa.String(length=200), nullable=True))
    op.add_column("newsletter", sa.Column("reminder_months", sa.Integer(), server_default="0", nullable=False))
    op.add_column("newsletter", sa.Column("renewal_months", sa.Integer(), server_default="0", nullable=False))
    op.add_column("notice_use", sa.Column("material", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))
    op.add_column(
        "subscriber", sa.Column("measurement", sa.String(length=16), server_default="unknown", nullable=False)
    )
    op.add_column("subscriber", sa.Column("restricted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_subscriber_restricted",
        "subscriber",
        ["id"],
        unique=False,
        sqlite_where=sa.text("restricted_at IS NOT NULL"),
        postgresql_where=sa.text("restricted_at IS NOT NULL"),
    )
    op.add_column("tally", sa.Column("bounced", sa.Integer(), server_default=sa.text("0"), nullable=False))
