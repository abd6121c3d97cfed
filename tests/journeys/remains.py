"""Looking for what is left of somebody: in every file the program has, and in every row it keeps."""

import json
import quopri
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
            if path.is_file() and needle in path.read_bytes()
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
            text = "\n".join(row for (row,) in rows).encode()
            found += [f"{schema}.{table}: {word}" for word in words for needle in _spellings(word) if needle in text]
    return found


def _spellings(word: str) -> Iterator[bytes]:
    """Give the bytes of a word as typed and in lower case: in UTF-8, in Latin-1, as JSON escapes, and as in a mail."""
    for written in {word, word.lower()}:
        yield written.encode()
        yield written.encode("latin-1")
        yield json.dumps(written)[1:-1].encode()
        yield quopri.encodestring(written.encode())
