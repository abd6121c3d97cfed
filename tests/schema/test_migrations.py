"""The migrations lead to the tables that the program declares, whole or not at all, whoever else runs
them.
"""

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from newsletter import schema
from newsletter.database import sync_engine
from newsletter.schema import upgrading
from tests.schema.shape import shape

UPGRADE = """
import json, sys
from newsletter.schema import upgrading
print("ready", flush=True)
input()
print(json.dumps(upgrading.upgrade(sys.argv[1])))
"""

HALFWAY = """\
op.create_table("half", sa.Column("id", sa.Integer()))
op.execute("INSERT INTO half VALUES (1)")
raise RuntimeError("halfway")"""

SUBSCRIBER = (
    "INSERT INTO subscriber (id, email, canonical, language, created_at) "
    "VALUES ('s', 'kari@example.com', 'kari@example.com', 'nb', '2026-11-02 09:00:00')"
)
DEAD_SIGNAL = (
    "INSERT INTO dead_signal (subscriber_id, domain_tag, enhanced, state, at) "
    "VALUES ('s', 'tag', '5.1.1', 'held', '2026-11-02 09:00:00')"
)


def tables(url: str) -> set[str]:
    engine = sync_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def run(url: str, *statements: str) -> list[int]:
    """Run the statements in one transaction; give the first column of what the last one answers."""
    engine = sync_engine(url)
    try:
        with engine.begin() as connection:
            answers = [connection.execute(text(statement)) for statement in statements]
            return [row[0] for row in answers[-1]] if answers[-1].returns_rows else []
    finally:
        engine.dispose()


def with_further_migration(folder: Path, body: str) -> Path:
    """Copy the migrations to `folder` and add one whose `upgrade` is `body`."""
    copied = Path(shutil.copytree(schema.migrations_folder(), folder / "migrations"))
    heads = sorted(path.name.partition("_")[0] for path in (copied / "versions").glob("[0-9]*.py"))
    imports = "import sqlalchemy as sa\nfrom alembic import op\n\n"
    names = f"revision = '9999'\ndown_revision = {heads[-1]!r}\n"
    upgrade = f"\n\ndef upgrade() -> None:\n{textwrap.indent(body, '    ')}\n"
    (copied / "versions" / "9999_one_more.py").write_text(imports + names + upgrade, encoding="utf-8")
    return copied


def test_the_migrations_make_the_tables_that_are_declared(database_url: str, empty_database_url: str) -> None:
    migrated, declared = sync_engine(database_url), sync_engine(empty_database_url)
    schema.METADATA.create_all(declared)
    try:
        with migrated.connect() as connection:
            assert compare_metadata(_context(connection), schema.METADATA) == []
        # Alembic looks at no conditions of indexes, no rules of foreign keys on SQLite and no options of
        # tables.
        assert shape(migrated) == shape(declared)
    finally:
        migrated.dispose()
        declared.dispose()


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"compare_type": True})


def test_four_processes_at_once_migrate_once(empty_database_url: str) -> None:
    command = [sys.executable, "-c", UPGRADE, empty_database_url]
    starters = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    # All have loaded the program before the first one is let go.
    assert [starter.stdout.readline() for starter in starters if starter.stdout] == ["ready\n"] * 4
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write("go\n")
        starter.stdin.flush()
    said = [starter.communicate(timeout=60) for starter in starters]
    assert [starter.returncode for starter in starters] == [0, 0, 0, 0], said
    ran = sorted(json.loads(out) for out, _errors in said)
    assert ran[:3] == [[], [], []]
    assert ran[3][0] == "0001"
    assert tables(empty_database_url) >= set(schema.METADATA.tables)


def test_a_second_upgrade_does_nothing(database_url: str) -> None:
    assert upgrading.upgrade(database_url) == []


def test_a_migration_that_fails_leaves_nothing_behind(database_url: str, tmp_path: Path) -> None:
    before = tables(database_url)
    with pytest.raises(RuntimeError, match="halfway"):
        upgrading.upgrade(database_url, folder=with_further_migration(tmp_path, HALFWAY))
    assert tables(database_url) == before
    assert upgrading.upgrade(database_url) == []


def test_a_first_start_that_fails_leaves_no_table_at_all(empty_database_url: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="halfway"):
        upgrading.upgrade(empty_database_url, folder=with_further_migration(tmp_path, HALFWAY))
    assert tables(empty_database_url) == set()
    assert upgrading.upgrade(empty_database_url)[0] == "0001"


def test_rebuilding_a_table_keeps_the_rows_that_hang_on_it(database_url: str, tmp_path: Path) -> None:
    run(database_url, SUBSCRIBER, DEAD_SIGNAL)
    rebuild = (
        "with op.batch_alter_table('subscriber', recreate='auto') as batch:\n"
        "    batch.alter_column('language', type_=sa.String(32), existing_type=sa.String(8))"
    )
    assert upgrading.upgrade(database_url, folder=with_further_migration(tmp_path, rebuild)) == ["9999"]
    assert run(database_url, "SELECT count(*) FROM dead_signal") == [1]


def test_a_migration_that_leaves_orphans_is_undone(sqlite_url: str, tmp_path: Path) -> None:
    """On SQLite, where foreign keys are off meanwhile; PostgreSQL refuses the statement itself."""
    run(sqlite_url, SUBSCRIBER, DEAD_SIGNAL)
    folder = with_further_migration(tmp_path, "op.execute('DELETE FROM subscriber')")
    with pytest.raises(RuntimeError, match="belong to nothing"):
        upgrading.upgrade(sqlite_url, folder=folder)
    assert run(sqlite_url, "SELECT count(*) FROM subscriber") == [1]
