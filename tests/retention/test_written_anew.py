"""On PostgreSQL a table is written anew only when nothing keeps any more what was deleted from it (RULES C7)."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import delete

from newsletter.database import table_of
from newsletter.installation import Installation
from newsletter.subscribers.tables import Subscriber
from newsletter.tokens import new_id

MARK = "qvzxjkwyft@example.com"


def is_in_the_files(url: str) -> bool:
    """Say whether the address is in a file of the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        found = connection.execute(
            "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert found
    files = (Path(found[0]) / "base" / str(found[1])).iterdir()
    return any(MARK.encode() in path.read_bytes() for path in files)


async def leave(installation: Installation) -> None:
    async with installation.database.write() as session:
        await session.execute(delete(Subscriber))


@pytest.mark.parametrize("database_kind", ["postgresql"])
@pytest.mark.parametrize("holding", ["SELECT pg_current_xact_id()", "SELECT count(*) FROM newsletter"])
async def test_what_somebody_may_still_see_is_left_to_the_next_time(installation: Installation, holding: str) -> None:
    """However young the other's transaction is, and whether it writes or reads."""
    url, table = installation.settings.database, table_of(Subscriber)
    now = installation.clock.now()
    async with installation.database.write() as session:
        session.add(Subscriber(id=new_id(), email=MARK, canonical=MARK, language="en", created_at=now))
    with psycopg.connect(url) as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute(holding)
        await leave(installation)
        assert not await installation.database.rewrite(table)
        other.rollback()
    assert await installation.database.rewrite(table)
    assert not is_in_the_files(url)
