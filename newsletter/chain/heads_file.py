"""The file of signed heads: one JSON object a line, appended and never rewritten, outside the database.

Each line holds the hash of the line before and is signed, so the newest line vouches for all the others. It is best
kept where whoever can write the database can't: on another volume, or copied away.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from newsletter.chain.rules import GENESIS, canonical, sha256

HEAD, KEY = "head", "key"
Signing = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Head:
    """What a line says of a chain: at that time it had `count` entries, the last of them with that hash."""

    chain: str
    count: int
    hash: str
    at: str
    key: str


@dataclass(slots=True)
class Standing:
    """What the file said as far as it was read: the newest head of each chain, and the introductions of keys."""

    newest: dict[str, Head] = field(default_factory=dict)
    introduced: dict[str, Any] = field(default_factory=dict)
    offset: int = 0
    before: str = GENESIS


class HeadsFile:
    """The file at `path`, which is made when the first head is written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._standing = Standing()

    def standing(self) -> Standing:
        """Give what the file says now; only what is new in it is read."""
        if not self._path.exists():
            self._standing = Standing()
            return self._standing
        with self._path.open("rb") as file:
            return self._catch_up(file)

    def append(self, contents: Sequence[Mapping[str, Any]], sign: Signing) -> None:
        """Append lines with these contents, signed; they are on the disk when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            standing = self._catch_up(file)
            # Whoever was killed while writing left a line without its end.
            file.truncate(standing.offset)
            for content in contents:
                whole = {**content, "before": standing.before}
                line = canonical(whole | {"signature": sign(whole)}).encode()
                file.write(line + b"\n")
                file.flush()
                self._take(line)
            os.fsync(file.fileno())

    def size(self) -> int:
        """Give how many bytes the file has."""
        return self._path.stat().st_size if self._path.exists() else 0

    def lines(self, size: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Give every whole line with its number, within the first `size` bytes, for whoever checks them."""
        if not self._path.exists():
            return
        read = 0
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                read += len(line)
                if line.endswith(b"\n") and (size is None or read <= size):
                    yield number, line[:-1]

    def _catch_up(self, file: IO[bytes]) -> Standing:
        if file.seek(0, os.SEEK_END) < self._standing.offset:
            self._standing = Standing()  # Another file was put in its place.
        file.seek(self._standing.offset)
        for line in file:
            if line.endswith(b"\n"):
                self._take(line[:-1])
        return self._standing

    def _take(self, line: bytes) -> None:
        standing = self._standing
        standing.offset += len(line) + 1
        standing.before = sha256_of(line)
        said = parsed(line)
        if (head := head_of(said)) is not None:
            standing.newest[head.chain] = head
        elif said.get("type") == KEY:
            standing.introduced[str(said.get("key"))] = said.get("statement")


def sha256_of(line: bytes) -> str:
    """Give the hash that the next line names."""
    return sha256(line.decode(errors="replace"))


def parsed(line: bytes) -> dict[str, Any]:
    """Give what a line says; nothing where it can't be read."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def head_of(said: Mapping[str, Any]) -> Head | None:
    """Give the head that a line says, where it says one."""
    if said.get("type") != HEAD or not isinstance(said.get("count"), int):
        return None
    return Head(str(said["chain"]), said["count"], str(said["hash"]), str(said["at"]), str(said["key"]))
