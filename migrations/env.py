"""How Alembic meets the database: on the connection that `schema.upgrade` hands it, within that transaction."""

from typing import Any

from alembic import context

from newsletter.schema import METADATA


def _is_ours(obj: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    # The queue's tables are DBOS's own business.
    return not (reflected and compare_to is None and kind == "table" and (name or "").startswith("dbos"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    include_object=_is_ours,
    transactional_ddl=True,
)
context.run_migrations()
