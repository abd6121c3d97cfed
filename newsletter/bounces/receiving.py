"""Taking a mail that a mail server hands over: a bounce, a complaint, or a mail to an unsubscribe address.

Which of our addresses it came to, the server says; where it doesn't, the headers are asked that name recipients. They
are not trusted any more than the rest of a mail: an address of ours is signed, so whoever knows it may use it.
"""

from collections.abc import Iterator, Sequence
from email.utils import getaddresses

from newsletter.bounces import reports
from newsletter.bounces.mime import Mail, parse
from newsletter.bounces.reports import Taken
from newsletter.database import Session
from newsletter.installation import Installation

_HEADERS = ("delivered-to", "x-original-to", "envelope-to", "to", "cc")
_WAY = "command"


async def receive(
    session: Session, installation: Installation, raw: bytes, recipients: Sequence[str] = ()
) -> Taken | None:
    """Take a mail for the `recipients` its server names; give what was done with it, None where it is for nobody here.

    Its consequences follow later; what is told to the mail server is told after the commit.
    """
    address = _address_of_ours(installation, raw, recipients)
    if address is None:
        return None
    return await reports.take(session, installation, raw, address, _WAY)


def _address_of_ours(installation: Installation, raw: bytes, recipients: Sequence[str]) -> str | None:
    for address in (*recipients, *_named(parse(raw))):
        if reports.recognises(installation, address):
            return address
    return None


def _named(mail: Mail) -> Iterator[str]:
    for wanted in _HEADERS:
        for _, address in getaddresses([value for name, value in mail.head.fields if name == wanted]):
            yield address
