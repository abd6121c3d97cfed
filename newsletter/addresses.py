"""E-mail addresses and names as people type them: what is accepted, and which spellings are one person. Pure."""

import re
import unicodedata
from dataclasses import dataclass

from newsletter.errors import InvalidInput

LONGEST_NAME = 64
_LONGEST_LOCAL_PART = 64
_LINK = re.compile(r"://|\bwww\.|\w\.\w{2,}/", re.IGNORECASE)
# An employer may well be called Example.com; a person isn't.
_BARE_DOMAIN = re.compile(
    r"[\w-]{2,}\.(?:com|net|org|no|se|dk|eu|io|ru|cn|info|biz|xyz|top|site|online)\b", re.IGNORECASE
)
_FORBIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

NO_ADDRESS = "Please give your e-mail address."
BAD_ADDRESS = "This is not an e-mail address we can write to. Please check it for typing errors."
NOT_TEXT = "This must be text."
TOO_LONG = "This may be at most 64 characters long."
NOT_PRINTABLE = "This holds a character that can't be printed. Please type it anew."
NO_LINKS = "This can't hold a web address."


@dataclass(frozen=True, slots=True)
class Address:
    """One address: `email` to write to, `canonical` to recognise it by."""

    email: str
    canonical: str


def read_address(text: object) -> Address:
    """Read an address as a person typed it, without asking the DNS.

    Upper and lower case, and the different ways to write the same letter in Unicode, are one person.
    Raises InvalidInput for the field `email`.
    """
    # Whoever only compares addresses does without it.
    from email_validator import EmailNotValidError, validate_email

    if not isinstance(text, str) or not text.strip():
        raise InvalidInput(NO_ADDRESS, {"email": NO_ADDRESS})
    try:
        # The reserved name .test is let in: it harms nobody, and people try things out with it.
        # `strict` is about the 64 octets before the @, beyond which no relay takes an address (RFC 5321 §4.5.3.1.1).
        read = validate_email(text.strip(), check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise InvalidInput(BAD_ADDRESS, {"email": BAD_ADDRESS}) from error
    # The library (2.4) counts letters there, and the limit is one of octets: in UTF-8 a letter has up to four.
    if len(read.local_part.encode()) > _LONGEST_LOCAL_PART:
        raise InvalidInput(BAD_ADDRESS, {"email": BAD_ADDRESS})
    return Address(read.normalized, canonical(read.normalized))


def canonical(email: str) -> str:
    """Give the form by which an address is recognised: lower case, composed (NFC).

    No more than that: straße.example and strasse.example are two domains, and somebody else may be at either.
    """
    return unicodedata.normalize("NFC", email.lower())


def read_name(field: str, text: object) -> str | None:
    """Read an optional name, title or employer; None where nothing was typed.

    Links, control and bidirectional characters are refused, and so is anything over 64 characters: a name
    is not a place to write a message to somebody else (RULES H4). Raises InvalidInput for `field`.
    """
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidInput(NOT_TEXT, {field: NOT_TEXT})
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        return None
    if len(name) > LONGEST_NAME:
        raise InvalidInput(TOO_LONG, {field: TOO_LONG})
    if any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in name):
        raise InvalidInput(NOT_PRINTABLE, {field: NOT_PRINTABLE})
    # Mail programs make links of full-width letters, too.
    plain = unicodedata.normalize("NFKC", name)
    if _LINK.search(plain) or (field.endswith("_name") and _BARE_DOMAIN.search(plain)):
        raise InvalidInput(NO_LINKS, {field: NO_LINKS})
    return name
