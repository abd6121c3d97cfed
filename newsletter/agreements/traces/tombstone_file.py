"""The file of the tombstones, outside the database: a line of JSON each, sealed so that nobody can plant one.

Several workers may append at once, on a volume they share: whoever writes holds the lock of the file beside it. A line
is on the disk before it counts. A line that was cut off by a fall of the machine, or that isn't ours, is passed over.
"""

import asyncio
import fcntl
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from newsletter.tokens import Keyring

_PURPOSE = "tombstone-file"
_LAST = 16 * 1024
_TIMES = ("epoch_ends", "at", "expires")


@dataclass(frozen=True, slots=True)
class Entry:
    """One tombstone with the salt of its epoch. `expires` is until when it is replayed."""

    id: str
    epoch: str
    salt: str
    epoch_ends: datetime
    tag: str
    subject_tag: str | None
    newsletter: str | None
    kind: str
    cause: str | None
    at: datetime
    expires: datetime


class TombstoneFile:
    """The file at `path`, whose lines are sealed with `keys`."""

    def __init__(self, path: Path, keys: Keyring) -> None:
        self._path = path
        self._keys = keys

    @property
    def is_there(self) -> bool:
        """Say whether there is a file, if an empty one."""
        return self._path.exists()

    async def begin(self) -> None:
        """Make the file where there is none, so that a missing one is known to be missing."""
        await asyncio.to_thread(self._begin)

    async def append(self, entries: Sequence[Entry]) -> None:
        """Append entries; they are on the disk when this returns."""
        await asyncio.to_thread(self._append, entries)

    async def entries(self, now: datetime) -> list[Entry]:
        """Give the entries that have not expired, each once, in the order of their times."""
        return await asyncio.to_thread(self._entries, now)

    async def drop_expired(self, now: datetime) -> None:
        """Write the file anew without what has expired. A fall of the machine leaves the one or the other."""
        await asyncio.to_thread(self._drop_expired, now)

    def signature(self) -> tuple[int, int, int] | None:
        """Give what changes whenever the file does; None where there is none."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def newest(self, now: datetime) -> Entry | None:
        """Give the entry that was appended last, if it has not expired. Reads the end of the file alone."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _LAST))
                lines = file.read().splitlines()
        except FileNotFoundError:
            return None
        for line in reversed(lines):
            if entry := self._read(line):
                return entry if entry.expires > now else None
        return None

    def _begin(self) -> None:
        with self._locked():
            if not self.is_there:
                os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, stat.S_IRUSR | stat.S_IWUSR))
                _sync_folder(self._path.parent)

    def _append(self, entries: Sequence[Entry]) -> None:
        self._begin()
        with self._locked(), self._path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size and not _ends_with_a_line(file, size):
                file.write(b"\n")
            file.write(b"".join(self._line(entry) for entry in entries))
            file.flush()
            os.fsync(file.fileno())

    def _entries(self, now: datetime) -> list[Entry]:
        try:
            with self._path.open("rb") as file:
                found = {entry.id: entry for line in file if (entry := self._read(line)) and entry.expires > now}
        except FileNotFoundError:
            return []
        return sorted(found.values(), key=lambda entry: (entry.at, entry.id))

    def _drop_expired(self, now: datetime) -> None:
        if not self.is_there:
            return
        with self._locked():
            lines = self._path.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if not (entry := self._read(line)) or entry.expires > now]
            if len(kept) == len(lines):
                return
            draft = self._path.with_name(f".{self._path.name}.new")
            with draft.open("wb") as file:
                draft.chmod(stat.S_IRUSR | stat.S_IWUSR)
                file.write(b"".join(kept))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            _sync_folder(self._path.parent)

    def _line(self, entry: Entry) -> bytes:
        content = _written(asdict(entry))
        seal = self._keys.seal(_PURPOSE, content)
        return f'{{"seal":"{seal}","entry":{content}}}\n'.encode()

    def _read(self, line: bytes) -> Entry | None:
        try:
            read = json.loads(line)
            if not self._keys.is_sealed(_PURPOSE, _written(read["entry"]), read["seal"]):
                return None
            values = read["entry"] | {name: datetime.fromisoformat(read["entry"][name]) for name in _TIMES}
            return Entry(**values)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # A file of its own, for the other one is replaced.
        with self._path.with_name(f"{self._path.name}.lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _written(values: dict[str, Any]) -> str:
    return json.dumps(values, default=datetime.isoformat, sort_keys=True, separators=(",", ":"))


def _ends_with_a_line(file: BinaryIO, size: int) -> bool:
    file.seek(size - 1)
    ended = file.read(1) == b"\n"
    file.seek(0, os.SEEK_END)
    return ended


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
