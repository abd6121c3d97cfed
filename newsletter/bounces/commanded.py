"""What the command `receive` does. What `--explain` does needs nothing of it, and is all in `reading`."""

from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from newsletter.bounces.reports import receiving
from newsletter.bounces.reports.actions import Taken
from newsletter.commands import Run, within
from newsletter.database import Session
from newsletter.errors import MisconfiguredError
from newsletter.installation import Installation

_SAID_OF = {Taken.UNSUBSCRIBED: "unsubscribe", Taken.AUTOMATIC: "ignored"}


def receive(run: Run, raw: bytes, recipients: Sequence[str]) -> str:
    """Take a mail; give what was done with it. Raises MisconfiguredError where that can't be done just now."""
    try:
        return str(within(run, lambda installation, session: _take(session, installation, raw, recipients)))
    except (DBAPIError, OSError):
        raise MisconfiguredError("The database can't be reached.") from None


async def _take(session: Session, installation: Installation, raw: bytes, recipients: Sequence[str]) -> str:
    if not installation.settings.bounce_domain:
        raise MisconfiguredError("NEWSLETTER_BOUNCE_DOMAIN is not set: it says which mails are for us.")
    taken = await receiving.receive(session, installation, raw, recipients)
    return _SAID_OF.get(taken, taken.value) if taken else "ignored"
