"""Every column that holds personal data is declared, and goes when its person goes (RULES C1, DESIGN §3)."""

from typing import Any

import pytest
from sqlalchemy import Column, Date, ForeignKeyConstraint, MetaData, String, Table, TypeDecorator, UniqueConstraint

from newsletter import schema
from newsletter.personal import Category, declarations, personal

PEOPLE = ("subscriber", "subscription", "signup_request")
# A column whose name holds one of these is about somebody, unless it is judged below, whatever its type is.
TELLING = (
    "email",
    "e_mail",
    "canonical",
    "name",
    "phone",
    "address",
    "birth",
    "postal",
    "street",
    "employer",
    "ip_",
    "user_agent",
)
# Texts of our own making: codes, hashes, seals, languages. No table lets anybody type into a column of such a name.
OUR_OWN = {
    "kind", "state", "act", "outcome", "stage", "enhanced", "cause", "mode", "about", "rule", "error", "trouble",
    "arrival", "channel", "collection", "gdpr_basis", "marketing_basis", "jurisdiction", "language", "measurement",
    "encoding", "delimiter", "occasion", "hash", "previous", "leaf", "salt", "seal", "lease", "country", "scopes",
}  # fmt: skip
# Every other text that is not declared personal was looked at, and is about nobody, or about a company.
ABOUT_NOBODY = {
    "agreement": {"control_label", "principal", "source"},
    "agreement_blinding": {"numbers"},
    "agreement_event": {"actor"},
    "agreement_terms": {"body"},
    "api_key": {"name"},
    "block": {"owner"},
    "chain_entry": {"body"},
    "alarm": {"code"},
    "alarm_seen": {"actor"},
    "dead_signal": {"domain_tag"},
    "editor": {"totp_locked"},
    "editor_session": {"id"},
    "first_signal": {"code"},
    "heartbeat": {"worker"},
    "listening": {"place"},
    "mailbox": {"poller", "server"},
    "import_job": {"actor", "file_name", "columns", "notice", "source", "holder"},
    "import_refusal": {"reason"},
    "issue": {"subject", "body"},
    "issue_link": {"url"},
    "limit_address": {"times"},
    "measurement_key": {"key"},
    "newsletter": {
        "slug", "name", "description", "sender_name", "sender_address", "controller_name",
        "controller_organisation_number", "controller_address", "privacy_contact", "data_protection_officer",
    },
    "notice": {"label", "text"},
    "notice_draft": {"label", "text"},
    "notice_mailing": {"cursor"},
    "processor": {"name", "purpose", "transfer_ground"},
    "report": {"action", "code", "reason", "reply", "status", "verdict", "way", "why"},
    "result": {"reply"},
    "rewriting": {"name"},
    "signing_key": {"statement"},
    "tag_epoch": {"purpose"},
    "telling": {"recipient"},
}  # fmt: skip

TABLES = schema.METADATA.tables


def cascades(table: Table) -> list[ForeignKeyConstraint]:
    """Give the foreign keys by which the deletion of another row deletes rows of this table."""
    return [key for key in table.foreign_key_constraints if key.ondelete == "CASCADE"]


def goes_with_the_subscriber(table: Table, column: Column[object]) -> bool:
    """Say whether deleting a subscriber deletes whatever row of `table` has something in `column`."""
    if table.name == "subscriber":
        return True
    for key in cascades(table):
        # A row without a parent stays, unless having a parent is all that the column says.
        certain = all(not part.nullable for part in key.columns) or list(key.columns) == [column]
        if certain and goes_with_the_subscriber(key.referred_table, next(iter(key.referred_table.primary_key))):
            return True
    return False


def test_something_is_declared_personal() -> None:
    declared = {f"{column.table.name}.{column.name}" for column, _declaration in declarations(schema.METADATA)}
    assert {"subscriber.email", "subscriber.given_name", "signup_request.email"} <= declared


def test_every_personal_column_goes_with_its_person_or_names_what_purges_it() -> None:
    left_behind = [
        f"{column.table.name}.{column.name}"
        for column, declaration in declarations(schema.METADATA)
        if not declaration.purged_by and not goes_with_the_subscriber(column.table, column)
    ]
    assert left_behind == []


def test_every_declaration_says_what_for_and_how_long() -> None:
    silent = [
        f"{column.table.name}.{column.name}"
        for column, declaration in declarations(schema.METADATA)
        if not (declaration.purpose.strip() and declaration.retention.strip())
    ]
    assert silent == []


def test_whatever_hangs_on_a_person_goes_with_the_person() -> None:
    staying = [
        f"{table.name}.{', '.join(key.column_keys)}"
        for table in TABLES.values()
        for key in table.foreign_key_constraints
        if key.referred_table.name in PEOPLE and key.ondelete != "CASCADE"
    ]
    assert staying == []


def is_text(column: Column[Any]) -> bool:
    """Say whether something can be written into a column that a person reads."""
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return isinstance(kind, String)


def undeclared(metadata: MetaData) -> set[str]:
    """Give the columns that may be about somebody and are neither declared personal nor judged to be about nobody."""
    declared = {(column.table.name, column.name) for column, _declaration in declarations(metadata)}
    return {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if (table.name, column.name) not in declared
        and column.name not in ABOUT_NOBODY.get(table.name, ())
        and (any(part in column.name for part in TELLING) or is_free_text(column))
    }


def is_free_text(column: Column[Any]) -> bool:
    """Say whether a column's text may be anybody's: it is no key, no id or hash, and none of our own words."""
    own = column.name in OUR_OWN or column.name.endswith(("_hash", "_id"))
    return is_text(column) and not (own or column.primary_key or column.foreign_keys)


def test_every_text_is_declared_personal_or_judged_to_be_about_nobody() -> None:
    assert undeclared(schema.METADATA) == set()


def test_what_was_judged_is_still_there() -> None:
    there = {(table.name, column.name) for table in TABLES.values() for column in table.columns}
    judged = {(table, column) for table, columns in ABOUT_NOBODY.items() for column in columns}
    assert judged - there == set()


@pytest.mark.parametrize("name", ["email", "e_mail_address", "full_name", "shoe_size", "remark", "birth_date"])
def test_a_new_column_is_found_whatever_it_is_called(name: str) -> None:
    """Renaming hides nothing: a text is asked about because it is one, a date or number because of its name."""
    kind = Date() if name == "birth_date" else String(50)
    metadata = MetaData()
    Table("visitor", metadata, Column("id", String(26), primary_key=True), Column(name, kind))
    Table("editor", metadata, Column("id", String(26), primary_key=True), Column(name, kind))
    assert undeclared(metadata) == {f"visitor.{name}", f"editor.{name}"}


def test_a_declared_column_that_is_renamed_must_take_its_declaration_along() -> None:
    metadata = MetaData()
    info = personal(Category.WORK, "knowing the readership", "until the last subscription ends")
    Table("person", metadata, Column("id", String(26), primary_key=True), Column("trade", String(64), info=info))
    assert undeclared(metadata) == set()
    metadata.tables["person"].columns["trade"].info.clear()
    assert undeclared(metadata) == {"person.trade"}


def test_a_foreign_key_to_a_person_can_be_followed_quickly() -> None:
    """Without an index, deleting one person would read the whole table of a million deliveries."""
    slow = [
        f"{table.name}.{key.column_keys[0]}"
        for table in TABLES.values()
        for key in table.foreign_key_constraints
        if key.referred_table.name in PEOPLE and not _leads_an_index(table, key.column_keys[0])
    ]
    assert slow == []


def _leads_an_index(table: Table, column: str) -> bool:
    leading = {next(iter(index.columns)).name for index in table.indexes}
    leading.add(next(iter(table.primary_key.columns)).name)
    leading |= {next(iter(key.columns)).name for key in table.constraints if isinstance(key, UniqueConstraint)}
    return column in leading
