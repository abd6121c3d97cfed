"""The queue of earlier versions is gone, and so is what it kept: ids of jobs, a file beside SQLite's or a schema.

A schema in which another program of the same library keeps its work is let be.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_SCHEMA = sa.text("SELECT to_regclass('dbos.workflow_status') IS NOT NULL")
_ANOTHERS = sa.text("SELECT EXISTS (SELECT 1 FROM dbos.workflow_status WHERE name NOT LIKE 'newsletter.%')")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        file = Path(connection.engine.url.database or "")
        for ending in ("", "-wal", "-shm"):
            file.with_name(f"{file.name.removesuffix('.sqlite')}-jobs.sqlite{ending}").unlink(missing_ok=True)
    elif connection.scalar(_SCHEMA) and not connection.scalar(_ANOTHERS):
        op.execute("DROP SCHEMA dbos CASCADE")
