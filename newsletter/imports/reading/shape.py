"""What kind of file it is: its characters, what parts its cells, and where its header is.

Files come from spreadsheets and other programs: UTF-8 with or without a mark at its beginning, or the Windows character
set of Western Europe, which contains Latin-1; parted by commas, semicolons, tabs or bars. A few broken bytes in UTF-8
don't make it another character set: the rows that hold them are refused by number.
"""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from newsletter.errors import InvalidInput

_CHUNK = 1024 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_SAID = b"sep="
_LONGEST_HEADER = 64 * 1024
_MOST_COLUMNS = 200
EMPTY = "The file is empty."
NOT_CSV = "This is a spreadsheet or an archive. Please save it as CSV (UTF-8), and take that."
UTF_16 = "This file is in UTF-16. Please save it as CSV (UTF-8), and take that."
NO_HEADER = "The first row must name the columns, such as: email,given_name,family_name."


@dataclass(frozen=True, slots=True)
class Shape:
    """How to read a file. `header` names its columns, and the first row of people begins at byte `start`."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    start: int


def look_at(file: BinaryIO) -> Shape:
    """Find out how to read a file. Raises InvalidInput, for the field `file`, where it is no table of text."""
    encoding = _encoding(file)
    file.seek(0)
    start = len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0
    file.seek(start)
    line = file.readline(_LONGEST_HEADER + 1)
    start += len(line)
    said = ""
    if line.lower().startswith(_SAID) and len(line.strip()) == len(_SAID) + 1:
        # A spreadsheet's own remark on what parts its cells.
        said = chr(line[len(_SAID)])
        line = file.readline(_LONGEST_HEADER + 1)
        start += len(line)
    if len(line) > _LONGEST_HEADER:
        raise _refusal(NO_HEADER)
    text = line.decode(encoding, "replace").rstrip("\r\n")
    delimiter = said if said in _DELIMITERS else _delimiter(text)
    header = _cells(text, delimiter)
    if not any(header) or "\0" in text or len(header) > _MOST_COLUMNS:
        raise _refusal(NO_HEADER)
    return Shape(encoding, delimiter, header, start)


def read_again(file: BinaryIO, encoding: str, delimiter: str) -> Shape:
    """Give the shape of a file whose characters and delimiter are known already."""
    file.seek(0)
    start = len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0
    file.seek(start)
    line = file.readline(_LONGEST_HEADER)
    if line.lower().startswith(_SAID):
        start += len(line)
        line = file.readline(_LONGEST_HEADER)
    header = _cells(line.decode(encoding, "replace").rstrip("\r\n"), delimiter)
    return Shape(encoding, delimiter, header, start + len(line))


def _encoding(file: BinaryIO) -> str:
    """Give utf-8 or cp1252, whichever more of the characters beyond ASCII speak for."""
    good = bad = size = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in _chunks(file):
        if not size and chunk.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise _refusal(NOT_CSV)
        if not size and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise _refusal(UTF_16)
        size += len(chunk)
        if not chunk.isascii():
            text = decoder.decode(chunk)
            wrong = text.count("\N{REPLACEMENT CHARACTER}")
            bad += wrong
            good += len(text) - len(text.encode("ascii", "ignore")) - wrong
    if not size:
        raise _refusal(EMPTY)
    return "utf-8" if bad * 10 <= good or not bad else "cp1252"


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk


def _delimiter(line: str) -> str:
    """Give what parts most cells of the header."""
    return max(_DELIMITERS, key=lambda one: len(_cells(line, one)))


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return ()


def _refusal(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, {"file": sentence})
