"""PostgreSQL keeps samples of what columns hold, for its plans: none of people's data (RULES C7)."""

from sqlalchemy import Connection, text

from newsletter.personal import declarations
from newsletter.schema.all_tables import METADATA

LOCK = 0x6E6577736C657474  # "newslett": the advisory lock that whoever changes tables holds
_WITH_STATISTICS = text(
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
    " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
    " AND coalesce(a.attstattarget, -1) <> 0"
)


def keep_none(connection: Connection) -> None:
    """Let PostgreSQL keep no sample of what is declared personal, and forget what it has. Elsewhere nothing is done."""
    if connection.dialect.name != "postgresql":
        return
    for table, column, kind in _kept(connection):
        name = f'ALTER TABLE "{table}" ALTER COLUMN "{column}"'
        connection.execute(text(f"{name} SET STATISTICS 0"))
        # It forgets a column's sample where it is told its type, be it the one it has.
        connection.execute(text(f"{name} TYPE {kind}"))


def are_kept(connection: Connection) -> bool:
    """Say whether it keeps any: a column may be declared personal without a migration."""
    return connection.dialect.name == "postgresql" and bool(_kept(connection))


def _kept(connection: Connection) -> list[tuple[str, str, str]]:
    wanted = {(column.table.name, column.name) for column, _ in declarations(METADATA) if not column.foreign_keys}
    rows = connection.execute(_WITH_STATISTICS).all()
    return [(table, column, kind) for table, column, kind in rows if (table, column) in wanted]
