"""Which column of a file means what: told by the names of its columns, by a preset, or by an editor. Pure.

The presets know the exports of other tools. A column that says that somebody left is never passed over: whoever did
not subscribe there is not taken here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from newsletter.errors import InvalidInput

Columns = Mapping[str, int]

FIELDS = {
    "email": "E-mail address",
    "given_name": "Given name",
    "family_name": "Family name",
    "name": "Whole name",
    "title": "Title",
    "employer": "Employer",
    "language": "Language",
    "agreed_at": "Date of the agreement",
    "sale_reference": "Sale reference",
    "status": "Status",
    "list_status": "Status on the list",
    "unsubscribed_at": "Unsubscribed on",
    "cleaned_at": "Found dead on",
}
NOTHING = "-"


class Preset(StrEnum):
    """The tools whose exports are known."""

    MAILCHIMP = "mailchimp"
    LISTMONK = "listmonk"
    MAILPOET = "mailpoet"


_NAMES = {
    "email": "email, e mail, email address, e mail address, mail, epost, e post, epostadresse, e postadresse",
    "given_name": "given name, first name, firstname, fname, fornavn, førenamn, forename",
    "family_name": "family name, last name, lastname, lname, surname, etternavn, etternamn",
    "name": "name, full name, navn, namn, fullt navn",
    "title": "title, job title, position, tittel, stilling",
    "employer": "employer, company, organisation, organization, arbeidsgiver, arbeidsgjevar, firma, bedrift",
    "language": "language, locale, språk, sprak, målform",
    "agreed_at": "agreed at, confirm time, optin time, confirmed at, subscribed at, samtykke dato, since",
    "sale_reference": "sale reference, order, order number, ordrenummer, customer number, kundenummer",
    "status": "status, global status, subscription status",
    "list_status": "list status",
    "unsubscribed_at": "unsub time, unsubscribed at",
    "cleaned_at": "clean time, cleaned at",
}
_MEANING = {name.strip(): field for field, names in _NAMES.items() for name in names.split(",")}
# Where a tool means something else by a name than others do: listmonk's file says when its row was made, and that is
# no agreement; a title is none in MailPoet's custom fields.
_OTHERWISE: Mapping[str, Mapping[str, str]] = {
    Preset.MAILCHIMP: {"email address": "email", "first name": "given_name", "last name": "family_name"},
    Preset.LISTMONK: {"email": "email", "name": "name", "status": "status"},
    Preset.MAILPOET: {"list status": "list_status", "global status": "status", "status": "status"},
}
_NEEDED = {
    Preset.MAILCHIMP: {"email address"},
    Preset.LISTMONK: {"email", "name", "status"},
    Preset.MAILPOET: {"email"},
}
_APART = re.compile(r"[\s_.\-/]+")


def guess(header: Sequence[str], preset: str = "") -> Columns:
    """Give what the columns mean by their names; the first of several wins.

    Raises InvalidInput, for the field `preset`, where the file is not of that tool.
    """
    names = [_APART.sub(" ", name.casefold()).strip() for name in header]
    if preset:
        _check_preset(names, preset)
    found: dict[str, int] = {}
    for field in FIELDS:
        # In the order in which they are listed above: a confirmation is better evidence than an opt-in.
        for name, meaning in {**_MEANING, **_OTHERWISE.get(preset, {})}.items():
            if meaning == field and name in names:
                found.setdefault(field, names.index(name))
    return found


def _check_preset(names: Sequence[str], preset: str) -> None:
    if preset not in set(Preset):
        sentence = f"There is no preset {preset}; the presets are {', '.join(Preset)}."
        raise InvalidInput(sentence, {"preset": sentence})
    if missing := sorted(_NEEDED[Preset(preset)] - set(names)):
        sentence = f"This is no export of {preset}: it has no column {', '.join(missing)}."
        raise InvalidInput(sentence, {"preset": sentence})


def choose(header: Sequence[str], chosen: Mapping[str, str], guessed: Columns) -> Columns:
    """Give the columns as guessed, but for those that `chosen` gives a field, or none (`-`), by their names.

    Raises InvalidInput, for the field `map`, for a column or a field that does not exist.
    """
    columns = dict(guessed)
    for name, field in chosen.items():
        if name not in header:
            raise _wrong(f"The file has no column “{name}”; it has {', '.join(header)}.")
        if field not in (*FIELDS, NOTHING, ""):
            raise _wrong(f"There is no field {field}; the fields are {', '.join(FIELDS)}, and {NOTHING} for none.")
        position = header.index(name)
        columns = {known: at for known, at in columns.items() if at != position}
        if field in FIELDS:
            columns[field] = position
    return columns


def by_position(typed: Mapping[str, str]) -> Columns:
    """Give the columns as a form chooses them: `column-3` is a field, or none.

    Raises InvalidInput, for the field `map`, where two are to be the same.
    """
    meaning: dict[str, int] = {}
    for name, field in typed.items():
        position = name.removeprefix("column-")
        if name == position or not position.isdecimal() or field not in FIELDS:
            continue
        if field in meaning:
            raise _wrong(f"Two columns can't both be “{FIELDS[field]}”.")
        meaning[field] = int(position)
    return meaning


def check(columns: Columns, *, sale_needed: bool = False) -> Columns:
    """Give the columns, if they are enough. Raises InvalidInput, for the field `map`, if not."""
    if "email" not in columns:
        raise _wrong("No column holds the e-mail addresses; say which one does.")
    if sale_needed and "sale_reference" not in columns:
        raise _wrong("Existing customers need a column with the reference of their sale; say which one it is.")
    return columns


def as_text(columns: Columns) -> str:
    """Write columns down."""
    return json.dumps(dict(columns), separators=(",", ":"))


def from_text(text: str) -> Columns:
    """Read columns that were written down."""
    return {str(field): int(position) for field, position in json.loads(text or "{}").items()}


def _wrong(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, {"map": sentence})
