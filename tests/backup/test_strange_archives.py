"""An archive that is not the one that was made ends in a sentence, with the old database untouched (RULES C2)."""

import asyncio
import io
import json
import sqlite3
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from newsletter.agreements.traces import tombstones
from newsletter.backup import actions, archive, reading, sqlite_copy
from newsletter.backup.actions import Migrations
from newsletter.errors import Conflict, InvalidInput, NewsletterError
from newsletter.installation import Installation
from newsletter.schema import upgrading
from newsletter.settings import Settings
from tests.agreements.leaving import People
from tests.conftest import KEYS

MIGRATIONS = Migrations(upgrading.upgrade, upgrading.revisions)
MUCH = 64 * 1024 * 1024


class Kept:
    """A genuine backup, the members of which are changed, and the database that must stay as it is."""

    def __init__(self, settings: Settings, installation: Installation, file: Path) -> None:
        self.settings, self.installation, self.file = settings, installation, file
        with zipfile.ZipFile(file) as read:
            self.manifest, self.database = read.read("manifest.json"), read.read("database")
        self.before = self.rows()

    def rows(self) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(sqlite_copy.file_of(self.settings.database))) as connection:
            return connection.execute("SELECT email FROM subscriber").fetchall()

    def restore(self, content: bytes | None = None, **waived: bool) -> None:
        if content is not None:
            self.file.write_bytes(content)
        actions.restore(
            self.settings, self.installation.clock, self.file, MIGRATIONS, lambda _done, _of: None, **waived
        )

    def refuses(self, content: bytes, said: str | None = None, **waived: bool) -> None:
        """Check that it is refused in a sentence, and that nothing was changed or left."""
        with pytest.raises(NewsletterError, match=said) as refused:
            self.restore(content, **waived)
        assert refused.value.sentence.endswith(".")
        assert self.rows() == self.before
        assert not list(self.settings.data_dir.rglob("*restoring*"))


@pytest.fixture
async def kept(sqlite_installation: Installation, tmp_path: Path) -> Kept:
    settings = sqlite_installation.settings.model_copy(update={"secret_key": KEYS.root.decode()})
    people = People(replace(sqlite_installation, settings=settings))
    await people.open("weekly")
    await people.agree("kari@example.com")
    await tombstones.file_of(people.installation).begin()
    file = tmp_path / "one.newsletter"
    clock = sqlite_installation.clock
    await asyncio.to_thread(actions.back_up, settings, clock, file, lambda _done, _of: None)
    await people.agree("later@example.com")
    await sqlite_installation.database.close()
    return Kept(settings, people.installation, file)


def zipped(*members: tuple[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(content, "w", kind) as written:
        warnings.simplefilter("ignore")  # Of a name that is there already.
        for name, text in members:
            written.writestr(name, text)
    return content.getvalue()


def sqlite_of(folder: Path, *statements: str) -> bytes:
    file = folder / "made.sqlite"
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return file.read_bytes()


def test_a_genuine_one_is_restored(kept: Kept) -> None:
    kept.restore()
    assert kept.rows() == [("kari@example.com",)]


def test_no_other_database_stands_behind_a_genuine_manifest(kept: Kept, tmp_path: Path) -> None:
    others = {
        "empty": b"",
        "no tables": sqlite_of(tmp_path, "PRAGMA user_version=1"),
        "foreign": sqlite_of(tmp_path, "CREATE TABLE x (y)"),
        "one byte": kept.database[:5000] + bytes([kept.database[5000] ^ 1]) + kept.database[5001:],
        "longer": kept.database + b"\0",
        "shorter": kept.database[:-1],
    }
    for content in others.values():
        kept.refuses(zipped(("manifest.json", kept.manifest), ("database", content)), "changed after it was made")


def test_without_a_digest_it_is_refused_unless_that_is_waived(kept: Kept, tmp_path: Path) -> None:
    """So are backups of earlier versions; whoever takes the digest out of a newer one gets no further."""
    told = json.loads(kept.manifest)
    earlier = json.dumps({name: told[name] for name in ("manifest", "seal")}).encode()
    whole = zipped(("manifest.json", earlier), ("database", kept.database))
    kept.refuses(whole, "--without-digest")
    for content in (b"", sqlite_of(tmp_path, "CREATE TABLE x (y)")):
        kept.refuses(
            zipped(("manifest.json", earlier), ("database", content)), "manifest tells of", without_digest=True
        )
    kept.restore(whole, without_digest=True)
    assert kept.rows() == [("kari@example.com",)]


def test_the_schema_is_the_one_that_the_manifest_tells_of(kept: Kept, tmp_path: Path) -> None:
    """Even where all seals are right."""
    made_with_us = tmp_path / "ours"
    content = sqlite_of(
        tmp_path, "CREATE TABLE alembic_version (version_num)", "INSERT INTO alembic_version VALUES ('x')"
    )
    manifest = reading.read_manifest(kept.file, KEYS).manifest
    archive.write(made_with_us, KEYS, manifest, io.BytesIO(content), len(content), lambda _done, _of: None)
    kept.refuses(made_with_us.read_bytes(), "manifest tells of")


def test_what_was_sealed_of_one_backup_is_not_of_another(kept: Kept, tmp_path: Path) -> None:
    other = tmp_path / "other"
    manifest = replace(reading.read_manifest(kept.file, KEYS).manifest, version="0.0.1")
    archive.write(other, KEYS, manifest, io.BytesIO(b"x"), 1, lambda _done, _of: None)
    with zipfile.ZipFile(other) as read:
        theirs = json.loads(read.read("manifest.json"))
    mixed = json.loads(kept.manifest) | {name: theirs[name] for name in ("members", "members_seal")}
    kept.refuses(zipped(("manifest.json", json.dumps(mixed).encode()), ("database", b"x")), "changed after")


def members_of(kept: Kept) -> dict[str, bytes]:
    ours, database = ("manifest.json", kept.manifest), ("database", kept.database)
    deep = b'{"manifest": ' * 4000
    return {
        "a further one": zipped(ours, database, ("more", b"x")),
        "a doubled database": zipped(ours, database, database),
        "a doubled manifest": zipped(ours, ours, database),
        "two manifests": zipped(ours, ours),
        "no manifest": zipped(database),
        "no database": zipped(ours),
        "another name": zipped(ours, ("../database", kept.database)),
        "none": zipped(),
        "bzip2": zipped(ours, database, kind=zipfile.ZIP_BZIP2),
        "lzma": zipped(ours, database, kind=zipfile.ZIP_LZMA),
        "deep": zipped(("manifest.json", deep), database),
        "deep within": zipped(("manifest.json", json.dumps({"manifest": "[" * 30_000}).encode()), database),
        "a list": zipped(("manifest.json", b"[]"), database),
        "a number": zipped(("manifest.json", b'{"manifest": 1}'), database),
        "half a letter": zipped(("manifest.json", b'{"manifest": "{}\\ud800"}'), database),
        "no text": zipped(("manifest.json", b"\xff\xfe"), database),
        "no seal": zipped(("manifest.json", json.dumps({"manifest": "{}"}).encode()), database),
        "other fields": zipped(("manifest.json", json.dumps({"manifest": '{"format": 1}'}).encode()), database),
    }


def test_no_member_but_ours_and_each_once(kept: Kept) -> None:
    for content in members_of(kept).values():
        kept.refuses(content, "whole backup")


@pytest.mark.parametrize("flag", [0x1, 0x20, 0x40, 0x2000])
def test_what_says_that_it_is_encrypted_is_none_of_ours(kept: Kept, flag: int) -> None:
    content = bytearray(kept.file.read_bytes())
    for signature, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        place = content.find(signature)
        while place >= 0:
            (flags,) = struct.unpack_from("<H", content, place + offset)
            struct.pack_into("<H", content, place + offset, flags | flag)
            place = content.find(signature, place + 1)
    kept.refuses(bytes(content))


def test_wherever_a_byte_is_flipped_it_ends_in_a_sentence_or_is_restored_whole(kept: Kept) -> None:
    """All of the ends of the file, where its directory is, and every so many elsewhere. Nothing is half restored: a
    byte that means nothing, such as a time of a member, may be another one.
    """
    whole = kept.file.read_bytes()
    places = [*range(64), *range(64, len(whole) - 700, len(whole) // 60), *range(len(whole) - 700, len(whole))]
    for place in places:
        kept.file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            backup = reading.read_manifest(kept.file, KEYS)
            with reading.database_in(kept.file, backup) as (source, size):
                assert source.read() == kept.database
                assert size == len(kept.database)
        except (InvalidInput, Conflict) as refused:
            told = refused.sentence
            assert told.endswith(".")


def test_wherever_it_is_cut_off_it_ends_in_a_sentence(kept: Kept) -> None:
    whole = kept.file.read_bytes()
    for size in [*range(0, 120, 7), *range(120, len(whole), len(whole) // 40), *range(len(whole) - 60, len(whole))]:
        kept.refuses(whole[:size], "whole backup")


def boundless_manifest(kept: Kept) -> bytes:
    return zipped(("manifest.json", b" " * MUCH), ("database", kept.database))


def boundless_database(kept: Kept) -> bytes:
    return zipped(("manifest.json", kept.manifest), ("database", b"\0" * MUCH))


def boundless_directory(kept: Kept) -> bytes:
    """An end that says that nearly all of the file is its directory."""
    content = bytearray(kept.file.read_bytes() + b"\0" * MUCH + kept.file.read_bytes()[-22:])
    struct.pack_into("<II", content, len(content) - 10, MUCH, 0)
    return bytes(content)


def boundless_large_directory(kept: Kept) -> bytes:
    """The same in the form for large archives, which goes before the other."""
    large = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 2, 2, MUCH, 0)
    place = struct.pack("<4sIQI", b"PK\6\7", 0, MUCH, 1)
    return b"\0" * MUCH + large + place + kept.file.read_bytes()[-22:]


@pytest.mark.parametrize(
    "made", [boundless_manifest, boundless_database, boundless_directory, boundless_large_directory]
)
def test_however_much_it_says_it_holds_it_is_read_in_bounded_memory(kept: Kept, made: Callable[[Kept], bytes]) -> None:
    kept.file.write_bytes(made(kept))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput):
            kept.restore()
        assert tracemalloc.get_traced_memory()[1] < MUCH / 4
    finally:
        tracemalloc.stop()
    assert kept.rows() == kept.before


def test_what_is_no_file_is_not_waited_for(kept: Kept, tmp_path: Path) -> None:
    for place in (tmp_path, Path("/dev/zero")):
        with pytest.raises(InvalidInput, match="can't be read"):
            reading.read_manifest(place, KEYS)
