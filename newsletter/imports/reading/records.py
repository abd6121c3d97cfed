"""The records of a file, one after the other, each with the byte at which the next one begins.

So an import that was interrupted goes on exactly there. A record may span lines within quotes. A quote that is never
closed would swallow the rest of the file: a record that spans too many lines, or is too long, is given as unreadable,
and reading goes on after its first line.
"""

import csv
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from newsletter.imports.reading.shape import Shape

LONGEST_LINE = 64 * 1024
_MOST_LINES = 30
_CHUNK = 64 * 1024


class Record(NamedTuple):
    """One row. `number` is that of a spreadsheet, where the header is row 1; None for cells that can't be told."""

    number: int
    end: int
    cells: list[str] | None


class _TooLong(Exception):
    """The record spans more than any row of a table of people does."""


class _Lines:
    """The file's lines as text, and how far they have been taken."""

    def __init__(self, file: BinaryIO, encoding: str, start: int) -> None:
        self._file, self._encoding = file, encoding
        self.begin(start)

    def begin(self, position: int) -> None:
        """Begin a record anew at a byte of the file."""
        self._file.seek(position)
        self.position = self.first = position
        self.count = 0

    def next_record(self) -> None:
        """Begin a record where the last one ended."""
        self.first = self.position
        self.count = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self.count += 1
        self.position += len(line)
        if len(line) > LONGEST_LINE or self.count > _MOST_LINES:
            raise _TooLong
        return line.decode(self._encoding, "replace")

    def skip_first_line(self) -> None:
        """Go on after the first line of this record."""
        self._file.seek(self.first)
        end = self.first
        while line := self._file.readline(_CHUNK):
            end += len(line)
            if line.endswith(b"\n"):
                break
        self.begin(end)


def records(file: BinaryIO, shape: Shape, start: int = 0, number: int = 1) -> Iterator[Record]:
    """Give the records from byte `start` on, or from the first; `number` is the row before it. Empty rows are left
    out.
    """
    lines = _Lines(file, shape.encoding, start or shape.start)
    while True:
        reader = csv.reader(lines, delimiter=shape.delimiter, strict=True)
        try:
            for cells in reader:
                number += 1
                if cells:
                    yield Record(number, lines.position, cells)
                lines.next_record()
            return
        except (csv.Error, _TooLong):
            number += 1
            lines.skip_first_line()
            yield Record(number, lines.position, None)
