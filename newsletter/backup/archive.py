"""A backup is one ZIP file: the database, then a manifest, which carries our seals.

They are made with the root secret, which is not in the backup: so a backup of another installation, or one that a lost
secret can't open the tags of, is known before anything is touched. One seal is of the manifest, the other of that and
of the database's size and SHA-256: no other database can stand behind the manifest. (Versions that knew the first alone
read both.)
"""

import hashlib
import json
import os
import stat
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from newsletter.errors import Conflict
from newsletter.tokens import Keyring

FORMAT = 1
CHUNK = 1024 * 1024
MANIFEST, DATABASE = "manifest.json", "database"
# What the seals are for.
PURPOSE, SEALED = "backup", "backup and members"

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
                members = json.dumps({DATABASE: _pour(archive, source, size, progress)}, sort_keys=True)
                sealed = {
                    "seal": keys.seal(PURPOSE, content),
                    "members_seal": keys.seal(SEALED, together(content, members)),
                }
                archive.writestr(MANIFEST, json.dumps({"manifest": content, "members": members} | sealed))
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def together(manifest: str, members: str) -> str:
    """Give what the second seal is of."""
    return json.dumps([manifest, members])


def _pour(archive: zipfile.ZipFile, source: IO[bytes], size: int, progress: Progress) -> dict[str, int | str]:
    """Write the database; give its size and its SHA-256."""
    hashed, done = hashlib.sha256(), 0
    with archive.open(DATABASE, "w", force_zip64=True) as entry:
        while part := source.read(CHUNK):
            entry.write(part)
            hashed.update(part)
            done += len(part)
            progress(done, size)
    return {"size": done, "sha256": hashed.hexdigest()}
