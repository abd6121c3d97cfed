"""What the tests of the rights desk share: a subscriber who writes a letter, and an editor who takes it."""

from datetime import date

from newsletter.addresses import read_address
from newsletter.editors import accounts
from newsletter.editors.tables import Editor
from newsletter.installation import Installation
from newsletter.newsletters.tables import Newsletter
from newsletter.rights.desk import actions as desk
from newsletter.rights.desk.actions import Received
from newsletter.rights.desk.tables import Arrival, RequestKind, RightsRequest
from newsletter.subscribers.actions import enter, subscribe
from newsletter.subscribers.tables import Subscriber

KARI = "kari.ramstad@example.com"


async def subscribed(installation: Installation, newsletter: Newsletter, email: str = KARI) -> Subscriber:
    """Subscribe a person."""
    async with installation.database.write() as session:
        details = {"given_name": "Kari", "family_name": "Ramstad"}
        person = await enter(session, installation.clock, read_address(email), "nb", details)
        await subscribe(session, installation.clock, person.id, newsletter.id)
    return person


async def employed(installation: Installation) -> Editor:
    """Add the editor Olga."""
    async with installation.database.write() as session:
        return await accounts.add(session, installation.clock, "olga@example.com", "Olga", "a long enough password")


async def letter_came(
    installation: Installation,
    editor: Editor,
    kind: RequestKind = RequestKind.ERASURE,
    received_on: date = date(2026, 11, 2),
) -> RightsRequest:
    """Register Kari's letter."""
    received = Received(kind, Arrival.LETTER, received_on, "Kari Ramstad, Storgata 1", KARI, "Writes by hand.")
    async with installation.database.write() as session:
        return await desk.register(session, installation, received, editor.id)
