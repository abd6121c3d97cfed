"""A file, slice by slice: the people in it, and the rows that can't be taken.

A slice is what one transaction deals with. It knows the byte at which it began and the one at which the next begins, so
that whoever goes on after an interruption takes up exactly there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from newsletter.imports.reading.records import records
from newsletter.imports.reading.rows import Person, Reader, Refused
from newsletter.imports.reading.seen import Seen
from newsletter.imports.reading.shape import Shape


@dataclass(slots=True)
class Slice:
    """Some rows: from byte `start` to `end`; `row` is the number of the last one."""

    start: int
    end: int
    row: int
    people: list[Person] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Give how many rows there are."""
        return len(self.people) + len(self.refused)


def slices(file: BinaryIO, shape: Shape, reader: Reader, size: int, start: int = 0, row: int = 1) -> Iterator[Slice]:
    """Give the slices, of `size` rows, from byte `start` on, where `row` rows are done, the header among them.

    What has been done is read again, for the addresses that must not come twice.
    """
    seen = _seen_before(file, shape, reader, start) if start else Seen()
    start = start or shape.start
    current = Slice(start, start, row)
    for record in records(file, shape, start, row):
        read = Refused(record.number, "quoting")
        taken = reader.read(record.number, record.cells) if record.cells is not None else read
        if isinstance(taken, Person):
            if seen.add(taken.canonical):
                current.people.append(taken)
            else:
                current.refused.append(Refused(record.number, "repeated"))
        else:
            current.refused.append(taken)
        current.end, current.row = record.end, record.number
        if current.rows >= size:
            yield current
            current = Slice(current.end, current.end, current.row)
    if current.rows:
        yield current


def _seen_before(file: BinaryIO, shape: Shape, reader: Reader, until: int) -> Seen:
    seen = Seen()
    for record in records(file, shape):
        if record.end > until:
            break
        read = reader.read(record.number, record.cells) if record.cells is not None else None
        if isinstance(read, Person):
            seen.add(read.canonical)
    return seen
