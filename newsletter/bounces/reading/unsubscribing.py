"""A mail by which a reader asks to be left out: by the address it goes to, or by its subject (RULES E4). Pure."""

import re

from newsletter.bounces.reading.mime import Mail
from newsletter.mail.words.phrases import folded, sections

_ADDRESS = re.compile(
    r"(?:^|[\s<,:])(?:unsubscribe|avmeld|leave|list-unsubscribe|abmelden)(?:[+=._-][^\s<>@]{1,200})?@", re.IGNORECASE
)
_SUBJECT = sections("newsletter.bounces.reading", "letters.txt")["unsubscribe subject"]
_TO = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")


def is_unsubscribe(mail: Mail) -> bool:
    """Say whether a person's mail asks to be left out."""
    if any(_ADDRESS.search(value[:2000]) for name in _TO for value in mail.head.all(name)):
        return True
    return _SUBJECT.fullmatch(folded(mail.head.get("subject")[:300]).strip()) is not None
