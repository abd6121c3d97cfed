"""The journal: one byte for each delivery of a window, in a file that outlives a killed process.

The ledger marks a window before any of its mail leaves, so after a crash the whole window would be in doubt. The journal
knows better: it is written in memory that the kernel keeps (mmap), right before a mail's content leaves and right after its
reply. What was never begun goes back to the queue, what was answered is recorded, and only what was on its way is in doubt.

It is local to its machine. After a power loss (the machine's boot id has changed) its last bytes may be missing, so the ledger
alone is trusted then, as it is where the journal is gone.
"""

import mmap
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from newsletter.mail.smtp import OutcomeKind

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_HEADER = 64


class Entry(IntEnum):
    """How far a delivery has come."""

    NOT_BEGUN = 0
    BEGUN = 1
    DELIVERED = 2
    DEFERRED = 3
    REFUSED = 4


_OF_OUTCOME = {
    OutcomeKind.DELIVERED: Entry.DELIVERED,
    OutcomeKind.DEFERRED: Entry.DEFERRED,
    OutcomeKind.REFUSED: Entry.REFUSED,
    OutcomeKind.NOT_ATTEMPTED: Entry.NOT_BEGUN,
}


def boot_id() -> str:
    """Give what tells one start of this machine from another; empty where the system doesn't say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


class Journal:
    """The journal of one window, under its lease's name. Deliveries are named by their place in the window."""

    def __init__(self, folder: Path, lease: str, numbers: Sequence[int]) -> None:
        """Open a fresh journal for the deliveries `numbers`. Raises OSError where the disk has no room for it."""
        self._path = folder / f"{lease}.journal"
        folder.mkdir(parents=True, exist_ok=True)
        head = f"{boot_id()} {numbers[0]}".encode().ljust(_HEADER)
        # Written out, not left as a hole: a full disk must say so here, not kill the process at the first entry.
        size = numbers[-1] - numbers[0] + 1
        with self._path.open("wb+") as file:
            file.write(head + bytes(size))
            file.flush()
            self._entries = mmap.mmap(file.fileno(), _HEADER + size)
        self._first = numbers[0]

    def begin(self, number: int) -> None:
        """Note that the content of a mail may leave from now on."""
        self._entries[_HEADER + number - self._first] = Entry.BEGUN

    def settle(self, number: int, kind: OutcomeKind) -> None:
        """Note what became of it; what is in doubt stays begun."""
        if kind in _OF_OUTCOME:
            self._entries[_HEADER + number - self._first] = _OF_OUTCOME[kind]

    def close(self) -> None:
        """Forget it: its results are in the ledger."""
        self._entries.close()
        self._path.unlink(missing_ok=True)


def read(folder: Path, lease: str) -> dict[int, Entry] | None:
    """Read the journal a killed process left for a lease; None where there is none to be trusted."""
    try:
        content = (folder / f"{lease}.journal").read_bytes()
        boot, first = content[:_HEADER].decode("ascii").split()
        if not boot or boot != boot_id():
            return None
        return {int(first) + place: Entry(value) for place, value in enumerate(content[_HEADER:])}
    except (OSError, ValueError):
        return None


def sweep(folder: Path, leases: set[str]) -> None:
    """Remove the journals that no lease of the ledger names any more."""
    if folder.is_dir():
        for path in folder.glob("*.journal"):
            if path.stem not in leases:
                path.unlink(missing_ok=True)
