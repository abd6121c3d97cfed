"""The journal: how far each delivery of a window has come, in a file that outlives a killed process.

The ledger marks a window before any of its mail leaves, so after a crash the whole window would be in doubt. The
journal knows better: it is written in memory that the kernel keeps (mmap), right before a mail's content leaves and
right after its reply. What was never begun goes back to the queue, what was answered is recorded, and only what was
on its way is in doubt: at most a mail for each connection (promise P4).

It is local to its machine. After a power loss (the machine's boot id has changed) its last bytes may be missing, so
the ledger alone is trusted then, as it is where the journal is gone. It names nobody: an entry is a place in the
window.
"""

import mmap
import os
from collections.abc import Mapping
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from struct import Struct

from newsletter.delivery.tables import Block
from newsletter.mail.outcome import Outcome, OutcomeKind, Stage

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_HEADER = 64
_STAGES = tuple(Stage)
# How far it has come, then the outcome: stage, code, the three numbers of the enhanced code, vetoed.
_ENTRY = Struct("<BBHBHHB")
_DETAILS = Struct("<BHBHHB")
_SIZE = _ENTRY.size
OLD_SECONDS = 24 * 3600.0


class Entry(IntEnum):
    """How far a delivery has come."""

    NOT_BEGUN = 0
    BEGUN = 1
    DELIVERED = 2
    DEFERRED = 3
    REFUSED = 4


_ANSWERED = {
    OutcomeKind.DELIVERED: Entry.DELIVERED,
    OutcomeKind.DEFERRED: Entry.DEFERRED,
    OutcomeKind.REFUSED: Entry.REFUSED,
}
_KINDS = {entry: kind for kind, entry in _ANSWERED.items()}
_IN_DOUBT = Outcome(OutcomeKind.IN_DOUBT, Stage.DATA)


def boot_id() -> str:
    """Give what tells one start of this machine from another; empty where the system doesn't say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


class Journal:
    """The journal of one window."""

    def __init__(self, folder: Path, block: Block, first: int, last: int) -> None:
        """Open a fresh journal for the deliveries `first` to `last` of a block that is about to be marked so far.

        Raises OSError where the disk has no room for it.
        """
        self._path = _path(folder, block.lease, block.pass_number, first)
        folder.mkdir(parents=True, exist_ok=True)
        size = _HEADER + (last - first + 1) * _SIZE
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            # Taken now, not when it is written to: a full disk must say so here, not kill the process later.
            os.posix_fallocate(file, 0, size)
            self._entries = mmap.mmap(file, size)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)
        self._entries[:_HEADER] = boot_id().encode().ljust(_HEADER)
        self._start = _HEADER - first * _SIZE

    def begin(self, number: int) -> None:
        """Note that the content of a mail may leave from now on."""
        self._entries[self._start + number * _SIZE] = Entry.BEGUN

    def settle(self, number: int, outcome: Outcome) -> None:
        """Note what became of it; what is in doubt stays begun."""
        place = self._start + number * _SIZE
        entry = _ANSWERED.get(outcome.kind)
        if entry is None:
            return
        if entry is not Entry.DELIVERED:
            _DETAILS.pack_into(self._entries, place + 1, *_details(outcome))
        # Last, so that whoever reads it finds the rest.
        self._entries[place] = entry

    def take_back(self, number: int) -> None:
        """Note that nothing of the mail has left after all."""
        self._entries[self._start + number * _SIZE] = Entry.NOT_BEGUN

    def leave(self) -> None:
        """Leave it where it is, for whoever finds that its window was marked after all."""
        self._entries.close()

    def close(self) -> None:
        """Forget it: its results are in the ledger."""
        self._entries.close()
        self._path.unlink(missing_ok=True)


def read(folder: Path, block: Block) -> Mapping[int, Outcome | None] | None:
    """Read the journal that a killed process left for the window that `block` has marked.

    Gives the outcome for each number, None for those of which nothing has left; None where there is no journal to be
    trusted.
    """
    try:
        content = _path(folder, block.lease, block.pass_number, block.done_to).read_bytes()
    except OSError:
        return None
    boot = content[:_HEADER].decode("ascii", "replace").strip()
    if not boot or boot != boot_id() or len(content) < _HEADER + (block.marked_to - block.done_to) * _SIZE:
        return None
    return {
        number: _outcome(content, _HEADER + (number - block.done_to) * _SIZE)
        for number in range(block.done_to, block.marked_to)
    }


def old(folder: Path, leases: set[str], now: float) -> list[Path]:
    """Give the journals of yesterday and before that no lease of the ledger names any more; `now` since 1970."""
    found = []
    for path in folder.glob("*.journal"):
        # Another worker of this machine may sweep, or forget its own, at the same time.
        with suppress(FileNotFoundError):
            if path.stem.partition("-")[0] not in leases and path.stat().st_mtime < now - OLD_SECONDS:
                found.append(path)
    return found


def sweep(folder: Path, leases: set[str], now: float) -> int:
    """Remove those journals; give how many."""
    paths = old(folder, leases, now)
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def _path(folder: Path, lease: str | None, pass_number: int, first: int) -> Path:
    return folder / f"{lease}-{pass_number}-{first}.journal"


def _details(outcome: Outcome) -> tuple[int, int, int, int, int, bool]:
    numbers = [int(number) for number in (outcome.enhanced or "0.0.0").split(".")]
    return (_STAGES.index(outcome.stage), outcome.code or 0, *numbers, outcome.vetoed)  # type: ignore[return-value]  # the numbers are as many as the fields


def _outcome(content: bytes, place: int) -> Outcome | None:
    entry, stage, code, first, second, third, vetoed = _ENTRY.unpack_from(content, place)
    if entry == Entry.NOT_BEGUN:
        return None
    if entry not in _KINDS:
        return _IN_DOUBT
    if entry == Entry.DELIVERED:
        return Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)
    enhanced = f"{first}.{second}.{third}" if first else None
    return Outcome(_KINDS[entry], _STAGES[stage], code or None, enhanced, bool(vetoed))
