"""Which addresses a file has had already, in as little memory as can be: 64 bits of each, in one array.

A set of a million words takes 100 MB, this takes 16. Two addresses are taken for one with a chance of one in 37 million
for a whole file of a million; the hash is keyed anew in every process, so nobody can make it happen.
"""

from array import array

_FIRST = 1 << 16
_BITS = (1 << 64) - 1


class Seen:
    """A set that can only grow."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST))
        self._used = 0

    def add(self, word: str) -> bool:
        """Add a word; say whether it is new."""
        if self._used * 2 > len(self._slots):
            self._grow()
        if not _put(self._slots, hash(word) & _BITS or 1):
            return False
        self._used += 1
        return True

    def _grow(self) -> None:
        slots = array("Q", bytes(16 * len(self._slots)))
        for mark in self._slots:
            if mark:
                _put(slots, mark)
        self._slots = slots


def _put(slots: "array[int]", mark: int) -> bool:
    mask = len(slots) - 1
    position = mark & mask
    while held := slots[position]:
        if held == mark:
            return False
        position = (position + 1) & mask
    slots[position] = mark
    return True
