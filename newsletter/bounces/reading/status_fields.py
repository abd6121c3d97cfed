"""What may be kept of a report: its status fields, and of a reply the everyday words of servers (RULES C7, F5).

Pure.
"""

from typing import NamedTuple

from newsletter.bounces.reading import dsn
from newsletter.bounces.reading.codes import status_of
from newsletter.bounces.reading.mime import Mail
from newsletter.mail.words.reply_words import kept_of

_ACTIONS = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})


class StatusFields(NamedTuple):
    """The action, the status code and the words of the recipient that a report speaks of."""

    action: str | None = None
    status: str | None = None
    reply: str | None = None


def fields_of(mail: Mail, email: str) -> StatusFields:
    """Give the status fields of a report about `email`; empty where it has none. Of several recipients, the failed."""
    found = sorted(dsn.recipients(mail), key=lambda one: one.action != "failed")
    if not found:
        return StatusFields()
    first = found[0]
    action = first.action if first.action in _ACTIONS else None
    return StatusFields(action, status_of(first.status), kept_of(first.diagnostic, email) or None)
