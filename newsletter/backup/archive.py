"""A backup is one ZIP file: a manifest, then the database. Checksums are ZIP's; the manifest carries our seal.

The seal is made with the root secret, which is not in the backup: so a backup of another installation, or one that a
lost secret can't open the tags of, is known before anything is touched.
"""

import json
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from newsletter.errors import Conflict, InvalidInput
from newsletter.tokens import Keyring

FORMAT = 1
CHUNK = 1024 * 1024
_MANIFEST, _DATABASE, _PURPOSE = "manifest.json", "database", "backup"
_NO_BACKUP = "This is not a whole backup that `newsletter backup` made."

# Is told how many bytes of how many are done; the second is 0 where that is not known.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of: when it was made, by which version, of which kind of database, at which migration."""

    format: int
    time: str
    version: str
    kind: str
    revision: str

    @property
    def made_at(self) -> datetime:
        """Give when it was made."""
        return datetime.fromisoformat(self.time)


def write(file: Path, keys: Keyring, manifest: Manifest, source: IO[bytes], size: int, progress: Progress) -> None:
    """Write a backup to `file`, which is there when it is whole and on the disk, and readable by its owner alone.

    `source` is read to its end, for about `size` bytes. Raises Conflict where there is such a file.
    """
    if file.exists():
        raise Conflict(f"{file} is there already; choose another name, or take it away first.")
    content = json.dumps(asdict(manifest), sort_keys=True)
    draft = file.with_name(f".{file.name}.part")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    try:
        with os.fdopen(handle, "wb") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                archive.writestr(_MANIFEST, json.dumps({"manifest": content, "seal": keys.seal(_PURPOSE, content)}))
                _pour(archive, source, size, progress)
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _pour(archive: zipfile.ZipFile, source: IO[bytes], size: int, progress: Progress) -> None:
    done = 0
    with archive.open(_DATABASE, "w", force_zip64=True) as entry:
        while part := source.read(CHUNK):
            entry.write(part)
            done += len(part)
            progress(done, size)


def read_manifest(file: Path, keys: Keyring) -> Manifest:
    """Give what a backup says of itself.

    Raises InvalidInput where it is none, Conflict where it was made with another root secret or by a newer version.
    """
    with _opened(file) as archive:
        try:
            outer = json.loads(archive.read(_MANIFEST))
            content = json.loads(outer["manifest"])
            if content["format"] != FORMAT:
                raise Conflict("This backup was made by a newer version; install that one first.")
            manifest = Manifest(**content)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(_NO_BACKUP) from error
    if not keys.is_sealed(_PURPOSE, outer["manifest"], str(outer.get("seal"))):
        raise Conflict(
            "This backup was made with another root secret. With this one its tags would match nobody, and links "
            "already mailed would not work: put the right NEWSLETTER_SECRET_KEY or secret.key back first."
        )
    return manifest


@contextmanager
def database_in(file: Path) -> Iterator[tuple[IO[bytes], int]]:
    """Give the database in a backup to read, and its size. Raises InvalidInput where it turns out to be broken."""
    with _opened(file) as archive:
        try:
            size = archive.getinfo(_DATABASE).file_size
            with archive.open(_DATABASE) as entry:
                yield entry, size
        except (KeyError, zipfile.BadZipFile, EOFError) as error:
            raise InvalidInput(_NO_BACKUP) from error


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, EOFError) as error:
        raise InvalidInput(_NO_BACKUP) from error
    except OSError as error:
        raise InvalidInput(f"{file} can't be read.") from error
    with archive:
        yield archive
