"""Taking a mail that a mail server hands over: a bounce, a complaint, or a mail to an unsubscribe address.

Which of our addresses it came to, the server says; where it doesn't, the headers are asked that name recipients. They
are not trusted any more than the rest of a mail: an address of ours is signed, so whoever knows it may use it.
"""

import re
from collections.abc import Iterator, Sequence

from newsletter.bounces.reading.mime import Mail, parse
from newsletter.bounces.reports import actions as reports
from newsletter.bounces.reports.actions import Taken
from newsletter.database import Session
from newsletter.installation import Installation

# The headers that name recipients, those first that the last mail server has written.
HEADERS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "to", "cc")
_WAY = "command"
# An address as ours are written. A parser of whole headers can be led astray, or round in circles, by whoever writes.
_ADDRESS = re.compile(r"[\w.+=-]{1,64}@[\w.-]{1,253}")


async def receive(
    session: Session, installation: Installation, raw: bytes, recipients: Sequence[str] = ()
) -> Taken | None:
    """Take a mail for the `recipients` its server names; give what was done with it, None where it is for nobody here.

    What leads nowhere is counted, and that is all. Else the consequences follow later; what is told to the mail server
    is told after the commit.
    """
    address = whose(installation, raw, recipients)
    if isinstance(address, Taken):
        await reports.count(session, installation, _WAY, address)
        return None if address is Taken.FOREIGN else address
    return await reports.take(session, installation, raw, address, _WAY)


def whose(installation: Installation, raw: bytes, recipients: Sequence[str] = ()) -> str | Taken:
    """Give the address of ours that a mail, or its head, is to; where there is none, why not: foreign, or an address
    under our domain that is forged or expired.
    """
    fault = Taken.FOREIGN
    for address in (*recipients, *_named(parse(raw))):
        wrong = reports.fault_of(installation, address)
        if wrong is None:
            return address
        if wrong is not Taken.FOREIGN:
            fault = wrong
    return fault


def _named(mail: Mail) -> Iterator[str]:
    for wanted in HEADERS:
        for value in mail.head.all(wanted):
            yield from _ADDRESS.findall(value)
