"""The name of a worker: its machine's, and a number that a locked file in the data folder keeps for it.

A lock ends with its process, however that ends. So a name is free when its worker is dead, and not before; whoever
takes it next takes up what was left under it.
"""

import fcntl
import os
from pathlib import Path
from typing import IO

from newsletter.tokens import new_id

_MOST_WORKERS = 64


def take_name(folder: Path) -> tuple[str, IO[str]]:
    """Give a name that no living worker has, with the lock that says so. A machine's worker gets its old name back."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = folder / "machine.id"
    if not machine.exists():
        draft = machine.with_name(f".machine.{os.getpid()}")
        draft.write_text(new_id(), encoding="ascii")
        try:
            os.link(draft, machine)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    for number in range(_MOST_WORKERS):
        file = (folder / f"worker-{number}.lock").open("w", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        return f"{machine.read_text(encoding='ascii')}-{number}", file
    raise RuntimeError("too many workers on one machine")


def is_alone(folder: Path, own: IO[str]) -> bool:
    """Say whether no other worker lives in the folder."""
    for file in folder.glob("worker-*.lock"):
        if file.name == Path(own.name).name:
            continue
        with file.open(encoding="ascii") as other:
            try:
                fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
    return True
