"""What may be typed into the signup form. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from newsletter.addresses import Address, read_address, read_name
from newsletter.errors import InvalidInput
from newsletter.language import known

FIELDS = ("given_name", "family_name", "title", "employer")
NOT_AGREED = "Please tick the box if you want the newsletter; without that we may not send it."


@dataclass(frozen=True, slots=True)
class Signup:
    """What somebody typed, read and found good."""

    address: Address
    language: str
    details: Mapping[str, str | None]


def read_signup(
    values: Mapping[str, object], otherwise: str, unstorable: Mapping[str, str] = MappingProxyType({})
) -> Signup:
    """Read a signup from a form or from JSON. `agreed` must have been set by the person (RULES A3).

    `otherwise` is the language where none is given, or one that we don't have; `unstorable` says what was wrong with
    fields before they could be read. Raises InvalidInput, with a sentence for each field that won't do.
    """
    wrong: dict[str, str] = {}
    address = None
    details: dict[str, str | None] = {}
    try:
        address = read_address(values.get("email"))
    except InvalidInput as error:
        wrong |= error.fields
    for field in FIELDS:
        try:
            details[field] = read_name(field, values.get(field))
        except InvalidInput as error:
            wrong |= error.fields
    if values.get("agreed") not in (True, "true", "on"):
        wrong["agreed"] = NOT_AGREED
    wrong |= unstorable
    if wrong or address is None:
        raise InvalidInput(" ".join(wrong.values()), wrong)
    language = values.get("language")
    return Signup(address, (known(language) if isinstance(language, str) else None) or otherwise, details)
