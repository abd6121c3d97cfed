"""What a database looks like from inside: everything about its tables that the two ways to make them must
agree on.
"""

from typing import Any

from sqlalchemy import Engine, inspect, text

_OWN = "alembic_version"


def shape(engine: Engine) -> dict[str, Any]:
    """Give columns, keys, indexes with their conditions, and the options of every table, in an order of their
    own.
    """
    inspector = inspect(engine)
    shapes: dict[str, Any] = {}
    for table in inspector.get_table_names():
        if table == _OWN:
            continue
        columns = {
            column["name"]: (str(column["type"]), column["nullable"], column["default"])
            for column in inspector.get_columns(table)
        }
        shapes[table] = {
            "columns": columns,
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": _sorted(inspector.get_foreign_keys(table)),
            "unique": _sorted(inspector.get_unique_constraints(table)),
            "checks": _sorted(inspector.get_check_constraints(table)),
            "indexes": _sorted(inspector.get_indexes(table)),
        }
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT name, wr FROM pragma_table_list WHERE name <> :own"), {"own": _OWN})
            shapes["without rowid"] = {name for name, without in rows if without}
    return shapes


def _sorted(found: list[Any]) -> list[str]:
    return sorted(str(sorted((key, _plain(value)) for key, value in entry.items())) for entry in found)


def _plain(value: Any) -> str:
    # The condition of an index is an SQL expression, which shows its words only when it is made a string.
    return str({key: str(inner) for key, inner in value.items()} if isinstance(value, dict) else value)
