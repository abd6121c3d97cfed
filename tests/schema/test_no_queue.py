"""What the queue of earlier versions kept goes with it; what another program keeps under its name stays."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from newsletter.schema import upgrading
from tests.schema.test_migrations import run

_QUEUE = ("CREATE SCHEMA dbos", "CREATE TABLE dbos.workflow_status (name text)")
_IS_THERE = "SELECT count(*) FROM pg_namespace WHERE nspname = 'dbos'"


def test_the_file_of_the_queue_goes(sqlite_url: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old' / 'newsletter.sqlite'}"
    upgrading.upgrade(url, "0005")
    folder = Path(make_url(url).database or "").parent
    queue = [folder / f"newsletter-jobs.sqlite{ending}" for ending in ("", "-wal", "-shm")]
    for file in queue:
        file.write_bytes(b"ids of jobs")
    assert upgrading.upgrade(url)[0] == "0006"
    assert [file.exists() for file in queue] == [False] * 3


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("workflow", "left"), [("newsletter.job", 0), ("another.program", 1)])
def test_its_schema_goes_unless_another_program_works_there(empty_database_url: str, workflow: str, left: int) -> None:
    upgrading.upgrade(empty_database_url, "0005")
    run(empty_database_url, *_QUEUE, f"INSERT INTO dbos.workflow_status VALUES ('{workflow}')")
    upgrading.upgrade(empty_database_url)
    assert run(empty_database_url, _IS_THERE) == [left]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_without_a_queue_nothing_is_missed(empty_database_url: str) -> None:
    upgrading.upgrade(empty_database_url)
    assert run(empty_database_url, _IS_THERE) == [0]
