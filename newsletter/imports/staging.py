"""Where a file lies while it is imported: in the data folder, readable by the service alone, and no longer than needed.

It is streamed there and never held in memory (RULES C7).
"""

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from newsletter.imports.reading.shape import Shape, look_at
from newsletter.installation import Installation
from newsletter.tokens import new_id

_FOLDER = "imports"
_OWNER = stat.S_IRUSR | stat.S_IWUSR


@dataclass(frozen=True, slots=True)
class Staged:
    """A file in its place: the id of its import, its size, its SHA-256 in hex, and how to read it."""

    import_id: str
    size: int
    hash: str
    shape: Shape


def place(installation: Installation, import_id: str) -> Path:
    """Give where the file of an import lies."""
    return folder(installation) / f"{import_id}.csv"


def folder(installation: Installation) -> Path:
    """Give the folder of all of them."""
    return installation.settings.data_dir / _FOLDER


def is_here(installation: Installation, import_id: str) -> bool:
    """Say whether the file is on this machine."""
    return place(installation, import_id).is_file()


async def receive(installation: Installation, chunks: AsyncIterable[bytes]) -> Staged:
    """Put a file into its place as it comes in. Raises InvalidInput where it is no table of text, and leaves nothing
    then.
    """
    import_id = new_id()
    path = place(installation, import_id)
    digest, size = hashlib.sha256(), 0
    try:
        with _open(path) as file:
            async for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                await asyncio.to_thread(file.write, chunk)
        shape = await asyncio.to_thread(_look_at, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Staged(import_id, size, digest.hexdigest(), shape)


def discard(installation: Installation, import_id: str) -> None:
    """Delete the file of an import, if it is on this machine."""
    place(installation, import_id).unlink(missing_ok=True)


def _open(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True, mode=stat.S_IRWXU)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER), "wb")


def _look_at(path: Path) -> Shape:
    with path.open("rb") as file:
        return look_at(file)
