"""Reading a row as a person, or saying why it is none. Pure, and fast: a million rows come this way.

An address is judged as in the signup form (`addresses.read_address`), with the same verdict: where all before the @ is
plain, what is left to judge is the domain, and that is judged once for every row that has it. Names follow the form's
rules too (RULES H4).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from email_validator.rfc_constants import ATEXT, CASE_INSENSITIVE_MAILBOX_NAMES

from newsletter import addresses
from newsletter.addresses import Address, read_address, read_name
from newsletter.errors import InvalidInput
from newsletter.imports.reading import status
from newsletter.imports.reading.columns import Columns
from newsletter.language import known

NAMES = ("given_name", "family_name", "title", "employer")
UNDECODED = "\N{REPLACEMENT CHARACTER}"
_PLAIN = re.compile(rf"([{ATEXT}]+(?:\.[{ATEXT}]+)*)@([A-Za-z0-9.-]+)")
_LONGEST_LOCAL, _LONGEST_PLAIN = 64, 190
_MOST_DOMAINS = 100_000
_LONGEST_REFERENCE = 100
# What a spreadsheet would take for a formula is exported with a mark before it (RULES H8); here it comes off again.
_MARKED = re.compile(r"'[=+\-@\t\r]")
_KINDS = {addresses.TOO_LONG: "long", addresses.NOT_PRINTABLE: "unprintable", addresses.NO_LINKS: "link"}
_DATES = ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S")


class Person(NamedTuple):
    """A row that can be taken."""

    row: int
    email: str
    canonical: str
    given_name: str | None
    family_name: str | None
    title: str | None
    employer: str | None
    language: str | None
    agreed_at: datetime | None
    sale_reference: str | None
    standing: status.Standing


class Refused(NamedTuple):
    """A row that can't, and the code of the reason (see `reasons`)."""

    row: int
    reason: str


class _Unfit(Exception):
    """The row can't be taken; the argument is the code of the reason."""


@dataclass(slots=True)
class Reader:
    """Reads rows whose columns mean this. `now` is for dates that can't be yet."""

    columns: Columns
    width: int
    now: datetime
    sale_needed: bool = False
    suppressing: bool = False

    def read(self, row: int, cells: Sequence[str]) -> Person | Refused:
        """Give the person of a row, or why there is none."""
        try:
            return self._read(row, cells)
        except _Unfit as unfit:
            return Refused(row, str(unfit))

    def _read(self, row: int, cells: Sequence[str]) -> Person:
        if len(cells) > self.width and any(cell.strip() for cell in cells[self.width :]):
            raise _Unfit("ragged")
        address = self._address(self._cell(cells, "email"))
        standing = self._standing(cells)
        if self.suppressing:
            return Person(row, *address, None, None, None, None, None, None, None, standing)
        given, family, title, employer = (self._name(field, cells) for field in NAMES)
        if not given and not family and (whole := self._cell(cells, "name")):
            first, _, last = whole.rpartition(" ")
            given, family = _name("given_name", first or last), _name("family_name", last if first else "")
        return Person(
            row,
            *address,
            *(given, family, title, employer),
            known(self._cell(cells, "language")) if "language" in self.columns else None,
            self._agreed_at(cells) if "agreed_at" in self.columns else None,
            self._sale(cells) if "sale_reference" in self.columns else None,
            standing,
        )

    def _cell(self, cells: Sequence[str], field: str) -> str:
        position = self.columns.get(field)
        if position is None or position >= len(cells):
            return ""
        text = cells[position].strip()
        if UNDECODED in text:
            raise _Unfit("not_text")
        marked = text[:1] == "'" and _MARKED.match(text)
        # No address begins with the @ itself: there the mark is the address's own.
        return text[1:] if marked and (field != "email" or text[1] != "@") else text

    def _address(self, text: str) -> tuple[str, str]:
        if not text:
            raise _Unfit("no_address")
        if (address := read_quickly(text)) is None:
            raise _Unfit("bad_address")
        return address.email, address.canonical

    def _name(self, field: str, cells: Sequence[str]) -> str | None:
        text = self._cell(cells, field)
        return _name(field, text) if text else None

    def _standing(self, cells: Sequence[str]) -> status.Standing:
        marks = {field: self._cell(cells, field) for field in status.FIELDS if field in self.columns}
        if not marks:
            return status.Standing.LEFT if self.suppressing else status.Standing.SUBSCRIBED
        standing = status.read(marks)
        if not self.suppressing and standing is not status.Standing.SUBSCRIBED:
            raise _Unfit("unknown_status" if standing is status.Standing.UNKNOWN else "not_subscribed")
        if self.suppressing and not standing.suppresses:
            raise _Unfit("unknown_status" if standing is status.Standing.UNKNOWN else "subscribed")
        return standing

    def _agreed_at(self, cells: Sequence[str]) -> datetime | None:
        text = self._cell(cells, "agreed_at")
        moment = read_moment(text) if text else None
        if text and (moment is None or moment > self.now + timedelta(days=1) or moment.year < 1990):
            raise _Unfit("bad_date")
        return moment

    def _sale(self, cells: Sequence[str]) -> str | None:
        text = self._cell(cells, "sale_reference")
        if self.sale_needed and not text:
            raise _Unfit("no_sale")
        if len(text) > _LONGEST_REFERENCE or not text.isprintable():
            raise _Unfit("bad_sale")
        return text or None


def read_quickly(text: str) -> Address | None:
    """Give what `read_address` gives, or None where it raises."""
    plain = _PLAIN.fullmatch(text)
    if (
        plain is None
        or len(text) > _LONGEST_PLAIN
        or len(local := plain[1]) > _LONGEST_LOCAL
        or local.lower() in CASE_INSENSITIVE_MAILBOX_NAMES
    ):
        try:
            return read_address(text)
        except InvalidInput:
            return None
    domain = _domain(plain[2])
    if domain is None:
        return None
    email = f"{local}@{domain}"
    return Address(email, email.lower() if email.isascii() else addresses.canonical(email))


@lru_cache(maxsize=_MOST_DOMAINS)
def _domain(domain: str) -> str | None:
    try:
        return read_address(f"a@{domain}").email.partition("@")[2]
    except InvalidInput:
        return None


@lru_cache(maxsize=_MOST_DOMAINS)
def _read_name(field: str, text: str) -> tuple[str | None, str]:
    try:
        return read_name(field, text), ""
    except InvalidInput as error:
        return None, f"{field}/{_KINDS.get(error.sentence, 'unprintable')}"


def _name(field: str, text: str) -> str | None:
    name, wrong = _read_name(field, text)
    if wrong:
        raise _Unfit(wrong)
    return name


def read_moment(text: str) -> datetime | None:
    """Read a date, with or without a time, as other tools write it; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        for form in _DATES:
            try:
                moment = datetime.strptime(text, form).replace(tzinfo=UTC)
                break
            except ValueError:
                continue
        else:
            return None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return None
