"""Why a row was refused, in a sentence for whoever can mend it. The database keeps the code alone. Pure."""

from newsletter import addresses
from newsletter.imports.reading.columns import FIELDS

_SENTENCES = {
    "no_address": "There is no e-mail address in this row.",
    "bad_address": "The e-mail address is not one that can be written to.",
    "repeated": "The e-mail address stands further up in the file, too.",
    "quoting": "The quotation marks don't close where they should, or the row is too long.",
    "ragged": "The row has more cells than the header; perhaps one with a delimiter in it lacks its quotation marks.",
    "not_text": "The row holds bytes that are not text in the file's character set.",
    "not_subscribed": "By the other tool's status this person did not subscribe, or has left.",
    "unknown_status": "The status is not known here; if that column says something else, take it out of the mapping.",
    "subscribed": "By the other tool's status this person is subscribed, so nothing says not to mail.",
    "bad_date": "The date of the agreement can't be read, or can't be; write it like 2024-05-17.",
    "no_sale": "There is no sale reference, without which nobody may be written to as an existing customer.",
    "bad_sale": "The sale reference is longer than 100 characters, or holds one that can't be printed.",
}
_NAMES = {"long": addresses.TOO_LONG, "unprintable": addresses.NOT_PRINTABLE, "link": addresses.NO_LINKS}


def sentence(reason: str) -> str:
    """Give the sentence for the code of a reason."""
    if reason in _SENTENCES:
        return _SENTENCES[reason]
    field, _, kind = reason.partition("/")
    return f"{FIELDS.get(field, field)}: {_NAMES.get(kind, reason)}"
