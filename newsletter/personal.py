"""What is personal is declared once, where the column is.

`Field(..., sa_column_kwargs={"info": personal(...)})` marks a column. The access export, the privacy notice and the
record of processing are all read from these declarations (RULES B5), and so is the test that every such column goes
when its person goes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, MetaData, Table

_KEY = "personal"


class Category(StrEnum):
    """Kinds of personal data, in the words of the record of processing (GDPR art. 30)."""

    CONTACT = "contact details"
    IDENTITY = "name"
    WORK = "title and employer"
    AGREEMENT = "agreement and its evidence"
    PREFERENCE = "preferences"
    REQUEST = "rights requests"
    ACCOUNT = "editor account"
    TAG = "keyed tag of the address"


@dataclass(frozen=True, slots=True)
class Personal:
    """The declaration of one column: what kind of data it is, what for, and until when it is kept.

    `purged_by` names the retention rule that deletes rows which no subscriber's deletion reaches; without it the
    column must be reachable from `subscriber` by ON DELETE CASCADE.
    """

    category: Category
    purpose: str
    retention: str
    purged_by: str | None = None


def personal(category: Category, purpose: str, retention: str, purged_by: str | None = None) -> dict[str, Any]:
    """Give the `info` that marks a column as personal."""
    return {_KEY: Personal(category, purpose, retention, purged_by)}


def declarations(metadata: MetaData) -> Iterator[tuple[Column[Any], Personal]]:
    """Give every column of `metadata` that is declared personal, with its declaration."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if _KEY in column.info:
                yield column, column.info[_KEY]


def addressed(metadata: MetaData) -> Iterator[Table]:
    """Give the tables that hold a reader's address of their own, by which whatever is there of somebody is found.

    They are those with a column `canonical` that is declared personal, in the order of their names. An editor's account
    is not one: an editor may be a reader too, and leaves as one alone.
    """
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        declared = table.columns["canonical"].info.get(_KEY) if "canonical" in table.columns else None
        if declared is not None and declared.category is not Category.ACCOUNT:
            yield table


def is_personal(table: Table) -> bool:
    """Say whether the table has a column that is declared personal."""
    return any(_KEY in column.info for column in table.columns)
