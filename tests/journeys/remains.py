"""Looking for what is left of somebody: in every file the program has, and in every row it keeps."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql


def in_files(folder: Path, words: Iterable[str]) -> list[str]:
    """Give the files under `folder` that hold any of the words, however they are written down."""
    return sorted(
        {
            f"{path.relative_to(folder)}: {word}"
            for word in words
            for needle in _spellings(word)
            for path in folder.rglob("*")
            if path.is_file() and needle in path.read_bytes().lower()
        }
    )


def in_rows(url: str, words: Iterable[str]) -> list[str]:
    """Give the tables of a PostgreSQL database with a row that holds any of the words."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' "
            "AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(tables) > 10, tables
        found = []
        for schema, table in tables:
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table)))
            text = "\n".join(row for (row,) in rows).lower().encode()
            found += [f"{schema}.{table}: {word}" for word in words for needle in _spellings(word) if needle in text]
    return found


def _spellings(word: str) -> Iterator[bytes]:
    """Give the bytes of a word in UTF-8, in Latin-1, and as JSON escapes; all in lower case."""
    lower = word.lower()
    yield lower.encode()
    yield lower.encode("latin-1").lower()
    yield json.dumps(lower)[1:-1].encode()
