"""Looking for what is left of somebody: in every file the program has, and in every row it keeps."""

import base64
import json
import os
import quopri
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql


def in_files(folder: Path, words: Iterable[str]) -> list[str]:
    """Give the files under `folder` that hold any of the words, however they are written down."""
    return sorted(
        {
            f"{path.relative_to(folder)}: {word}"
            for path, content in contents(folder)
            for word in words
            for needle in _spellings(word)
            if needle in content
        }
    )


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Give every file under `folder` and what is in it; the running program may take one away meanwhile."""
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                yield (path := Path(place, name)), path.read_bytes()


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


def in_bytes(content: bytes, stem: str) -> bool:
    """Say whether bytes hold a word of ASCII letters, in whatever way a program may write it down."""
    return any(needle in content for needle in _disguises(stem))


def _disguises(stem: str) -> Iterator[bytes]:
    """Give the bytes of a word in every spelling and encoding, wherever in a longer text it may stand."""
    for written in {stem, stem.lower(), stem.upper()}:
        yield written.encode()
        yield written.encode("utf-16-le")
        yield written.encode("utf-16-be")
        yield "".join(f"={ord(letter):02X}" for letter in written).encode()
        yield written.encode().hex().encode()
        yield written.encode().hex().upper().encode()
        for before in range(3):
            whole = base64.b64encode(b"\0" * before + written.encode())
            # What the letters before and after it don't change.
            yield whole[(0, 2, 3)[before] : (before + len(written)) * 8 // 6]


def _spellings(word: str) -> Iterator[bytes]:
    """Give the bytes of a word as typed and in lower case: in UTF-8, in Latin-1, as JSON escapes, and as in a mail."""
    for written in {word, word.lower()}:
        yield written.encode()
        yield written.encode("latin-1")
        yield json.dumps(written)[1:-1].encode()
        yield quopri.encodestring(written.encode())
