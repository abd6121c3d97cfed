"""Every column that holds personal data is declared, and goes when its person goes (RULES C1, DESIGN §3)."""

from sqlalchemy import Column, ForeignKeyConstraint, Table

from newsletter import schema
from newsletter.personal import declarations

PEOPLE = ("subscriber", "subscription", "signup_request")
TELLING_NAMES = (
    "email",
    "canonical",
    "given_name",
    "family_name",
    "employer",
    "phone",
    "ip_address",
    "user_agent",
)
# Columns with a telling name that are about the sender, who is a company.
ABOUT_NOBODY: set[tuple[str, str]] = set()

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


def test_no_column_with_a_telling_name_is_undeclared() -> None:
    declared = {(column.table.name, column.name) for column, _declaration in declarations(schema.METADATA)}
    telling = {
        (table.name, column.name)
        for table in TABLES.values()
        for column in table.columns
        if column.name in TELLING_NAMES
    }
    assert telling - declared - ABOUT_NOBODY == set()


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
    return column in leading
