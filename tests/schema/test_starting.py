"""A command looks whether the newest migration has run, and runs what is missing; where nothing is, it only looks."""

from pathlib import Path

import pytest
from sqlalchemy import text

from newsletter import schema
from newsletter.database import sync_engine
from newsletter.errors import MisconfiguredError
from newsletter.schema import upgrading
from newsletter.schema.folder import newest
from newsletter.settings import Settings

SECRET = "a root secret for these tests alone"


def installed(folder: Path, url: str) -> Settings:
    return Settings(data_dir=folder / "data", database_url=url, secret_key=SECRET)


def revision(url: str) -> str:
    engine = sync_engine(url)
    try:
        with engine.connect() as connection:
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    finally:
        engine.dispose()


def test_the_files_are_named_for_their_migrations() -> None:
    named = [file.name.partition("_")[0] for file in (schema.migrations_folder() / "versions").glob("*.py")]
    assert sorted(named, reverse=True) == upgrading.revisions()
    assert newest() == upgrading.revisions()[0]


@pytest.mark.parametrize("last", [None, upgrading.revisions()[1]])
def test_what_is_missing_is_run(empty_database_url: str, tmp_path: Path, last: str | None) -> None:
    if last:
        upgrading.upgrade(empty_database_url, last)
    schema.bring_up_to_date(installed(tmp_path, empty_database_url))
    assert revision(empty_database_url) == newest()


def test_whoever_writes_is_not_waited_for(database_url: str, tmp_path: Path) -> None:
    engine = sync_engine(database_url)
    try:
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM heartbeat"))
            schema.bring_up_to_date(installed(tmp_path, database_url))
    finally:
        engine.dispose()


def test_a_database_that_cant_be_reached_is_told_in_a_sentence(tmp_path: Path) -> None:
    for url in ("postgresql://nobody@127.0.0.1:1/nothing", "sqlite:////proc/nowhere/newsletter.sqlite"):
        with pytest.raises(MisconfiguredError, match="NEWSLETTER_DATABASE_URL"):
            schema.bring_up_to_date(installed(tmp_path, url))
