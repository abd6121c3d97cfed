"""A backup, read as if a stranger had made it: nothing of it reaches the database before all of it was found whole.

What is looked at first is bounded, whatever the file says of itself, and each fault ends in the same sentence. Then the
database is read through once, against the size and the digest that were sealed, and only then again for whoever puts it
in place. A backup of before there were digests is read where that is asked for, and by its checksums alone.
"""

import hashlib
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from newsletter.backup.archive import CHUNK, DATABASE, FORMAT, MANIFEST, PURPOSE, SEALED, Manifest, together
from newsletter.errors import Conflict, InvalidInput
from newsletter.tokens import Keyring

_NO_BACKUP = "This is not a whole backup that `newsletter backup` made."
_CHANGED = "This backup was changed after it was made, or is damaged; use another one."
_WITHOUT_DIGEST = (
    "This backup holds no digest of its database, as those of earlier versions do: it could be another one behind the "
    "same manifest. If you trust where it was kept, say --without-digest."
)
_LONGEST_MANIFEST = 64 * 1024
# Two members, with their names and numbers; the end of the directory, and its larger form (PKWARE APPNOTE 4.3).
_LONGEST_DIRECTORY = 4096
_END, _LARGE_END, _LARGE_PLACE = b"PK\5\6", b"PK\6\6", b"PK\6\7"
_END_SIZE, _LARGE_END_SIZE, _LARGE_PLACE_SIZE = 22, 56, 20
_COMPRESSED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1 | 0x20 | 0x40 | 0x2000
# What Python's libraries say of a file that is not what it says it is.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, OSError),
)


@dataclass(frozen=True, slots=True)
class Digest:
    """How large the database of a backup is, and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself under our seal; no digest where it is of before there were any."""

    manifest: Manifest
    digest: Digest | None


def read_manifest(file: Path, keys: Keyring, *, without_digest: bool = False) -> Backup:
    """Give what a backup says of itself.

    Raises InvalidInput where it is none, Conflict where it was made with another root secret or by a newer version, or
    has no digest and none was waived.
    """
    with _opened(file) as archive:
        with _as_no_backup():
            with archive.open(MANIFEST) as entry:
                text = entry.read(_LONGEST_MANIFEST + 1)
            if len(text) > _LONGEST_MANIFEST:
                raise InvalidInput(_NO_BACKUP)
            outer = json.loads(text)
            content = json.loads(outer["manifest"])
            if content["format"] != FORMAT:
                raise Conflict("This backup was made by a newer version; install that one first.")
            manifest = Manifest(**content)
            ours = keys.is_sealed(PURPOSE, outer["manifest"], str(outer.get("seal")))
        if not ours:
            raise Conflict(
                "This backup was made with another root secret. With this one its tags would match nobody, and links "
                "already mailed would not work: put the right NEWSLETTER_SECRET_KEY or secret.key back first."
            )
        with _as_no_backup():
            digest = _digest(outer, keys)
    if digest is None and not without_digest:
        raise Conflict(_WITHOUT_DIGEST)
    return Backup(manifest, digest)


def _digest(outer: dict[str, Any], keys: Keyring) -> Digest | None:
    if "members" not in outer:
        return None
    if not keys.is_sealed(SEALED, together(outer["manifest"], outer["members"]), str(outer.get("members_seal"))):
        raise InvalidInput(_CHANGED)
    told = json.loads(outer["members"])[DATABASE]
    return Digest(int(told["size"]), str(told["sha256"]))


@contextmanager
def database_in(file: Path, backup: Backup) -> Iterator[tuple[IO[bytes], int]]:
    """Give the database in a backup to read, and its size, once it was found whole. Raises InvalidInput."""
    with _opened(file) as archive:
        size = _check(archive, backup.digest)
        with archive.open(DATABASE) as entry:
            yield entry, size


def _check(archive: zipfile.ZipFile, digest: Digest | None) -> int:
    """Read the database through; give its size. Raises InvalidInput where it is not the one that was sealed."""
    most = digest.size if digest else archive.getinfo(DATABASE).file_size
    hashed, size = hashlib.sha256(), 0
    with _as_no_backup(), archive.open(DATABASE) as entry:
        while part := entry.read(CHUNK):
            size += len(part)
            if size > most:
                raise InvalidInput(_CHANGED)
            hashed.update(part)
    if digest and (size, hashed.hexdigest()) != (digest.size, digest.sha256):
        raise InvalidInput(_CHANGED)
    return size


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive of a manifest and a database, and of nothing else."""
    try:
        about = file.stat()
        raw = file.open("rb") if stat.S_ISREG(about.st_mode) else None
    except OSError as error:
        raise InvalidInput(f"{file} can't be read.") from error
    if raw is None:
        raise InvalidInput(f"{file} can't be read: it is no file.")
    with raw:
        with _as_no_backup():
            _look_at_the_end(raw, about.st_size)
            archive = zipfile.ZipFile(raw)
        with archive:
            _look_at_the_members(archive)
            yield archive


def _look_at_the_end(raw: IO[bytes], size: int) -> None:
    """Raise InvalidInput where the directory of the archive is larger than ours: it would be read as a whole."""
    begin = max(0, size - _END_SIZE - _LARGE_PLACE_SIZE - _LARGE_END_SIZE)
    raw.seek(begin)
    tail = raw.read(size - begin)
    end = tail[-_END_SIZE:]
    lengths = list(struct.unpack("<HI", end[10:12] + end[12:16])) if end[:4] == _END and end[20:] == b"\0\0" else []
    large = tail[: -_END_SIZE - _LARGE_PLACE_SIZE]
    if tail[-_END_SIZE - _LARGE_PLACE_SIZE :][:4] == _LARGE_PLACE:
        lengths = list(struct.unpack("<QQ", large[32:48])) if large[:4] == _LARGE_END else []
    if not lengths or lengths[0] != len((MANIFEST, DATABASE)) or lengths[1] > _LONGEST_DIRECTORY:
        raise InvalidInput(_NO_BACKUP)


def _look_at_the_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    plain = all(member.compress_type in _COMPRESSED and not member.flag_bits & _ENCRYPTED for member in members)
    if sorted(member.filename for member in members) != sorted((MANIFEST, DATABASE)) or not plain:
        raise InvalidInput(_NO_BACKUP)


@contextmanager
def _as_no_backup() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise InvalidInput(_NO_BACKUP) from error
