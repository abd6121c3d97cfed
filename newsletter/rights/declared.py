"""What the tables hold of one person, found by the declarations of what is personal (GDPR art. 15; RULES B2).

From the subscriber's row the walk follows every foreign key by which their deletion would delete rows, and it looks
into every table that keeps an address. So a new table with something personal shows up here by being declared, and
nothing else need be done.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, ForeignKeyConstraint, Table, or_
from sqlmodel import SQLModel

from newsletter.database import Session
from newsletter.personal import Personal, addressed, declarations
from newsletter.rights.holding import HeldValue


async def values_of(session: Session, canonical: str) -> Sequence[HeldValue]:
    """Give every value that is declared personal and hangs on an address, table by table."""
    declared = _declared()
    parents = {key.referred_table.name for key in _cascades()}
    by_spelling = {table.name for table in addressed(SQLModel.metadata)}
    values: list[HeldValue] = []
    reached: dict[str, Sequence[Mapping[str, Any]]] = {}
    for table in SQLModel.metadata.sorted_tables:
        ways = _ways(table, reached)
        if table.name in by_spelling:
            ways.append(table.c.canonical == canonical)
        if not ways or not (table.name in declared or table.name in parents):
            continue
        rows = (await session.execute(table.select().where(or_(*ways)).order_by(*table.primary_key))).mappings().all()
        reached[table.name] = [dict(row) for row in rows]
        values += [
            HeldValue(table.name, name, row[name], said)
            for row in rows
            for name, said in declared[table.name].items()
            if row[name] not in (None, "")
        ]
    return values


def _ways(table: Table, reached: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[ColumnElement[bool]]:
    """Give the conditions under which a row of the table hangs on one that was reached; an index leads each."""
    ways: list[ColumnElement[bool]] = []
    for key in _cascades(table):
        element = key.elements[0]
        if parents := [row[element.column.name] for row in reached.get(key.referred_table.name, ())]:
            ways.append(element.parent.in_(parents))
    return ways


def _cascades(*tables: Table) -> Iterator[ForeignKeyConstraint]:
    for table in tables or SQLModel.metadata.tables.values():
        for key in table.foreign_key_constraints:
            if key.ondelete == "CASCADE" and len(key.elements) == 1:
                yield key


def _declared() -> defaultdict[str, dict[str, Personal]]:
    declared: defaultdict[str, dict[str, Personal]] = defaultdict(dict)
    for column, said in declarations(SQLModel.metadata):
        declared[column.table.name][column.name] = said
    return declared
