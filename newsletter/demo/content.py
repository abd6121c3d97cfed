"""What the demonstration begins with: one newsletter, forty invented subscribers, an editor and a draft."""

from sqlalchemy import delete

from newsletter.addresses import read_address
from newsletter.agreements.actions import Origin
from newsletter.agreements.notices.actions import in_force
from newsletter.agreements.opening import open_newsletter
from newsletter.database import Session
from newsletter.editors import accounts
from newsletter.installation import Installation
from newsletter.issues.actions import write
from newsletter.mail.tables import Letter
from newsletter.signup import actions as signup
from newsletter.signup.rules import FIELDS, Signup

SLUG = "fjordbrevet"
EDITOR = "editor@example.com"
_GIVEN = ("Åse", "Bjørn", "Cecilie", "Dag", "Eva", "Frode", "Guro", "Håkon", "Ingrid", "Jørn")
_FAMILY = ("Fjellheim", "Sjøvik", "Åkerlund", "Øvrebø")
_TITLES = ("Redaktør", "Utvikler", "Bibliotekar", None)
_EMPLOYERS = ("Eksempel AS", None, "Example Books", None, "Fjord & Vidde AS")
_SUBJECT = "Havørna er tilbake"
_BODY = """\
Hei{% if given_name %} {{ given_name }}{% endif %}!

For første gang på førti år hekker **havørna** ved fjorden igjen. Vi var der da ungene lettet.

## Denne gangen

* [Da ungene lettet](https://example.com/havorn) – en morgen på skjæret
* [Slik melder du fra](https://example.com/meld-fra) om det du ser
* [Turen til fyret](https://example.com/fyret), fire timer med utsikt

> Vi hørte dem før vi så dem.

{% if employer %}En hilsen til alle hos {{ employer }}.{% endif %}

Vennlig hilsen  
Fjordbrevet
"""  # noqa: W291 (two spaces are a line break in Markdown)


async def fill(session: Session, installation: Installation, password: str) -> None:
    """Fill an empty installation. Everybody has signed up and confirmed as people do, so their agreements are on
    record.
    """
    newsletter = await open_newsletter(
        session,
        installation,
        SLUG,
        {
            "name": "Fjordbrevet",
            "sender": "Fjordbrevet <post@example.com>",
            "language": "nb",
            "description": "Natur, folk og turer langs fjorden. Én gang i måneden.",
        },
    )
    await accounts.add(session, installation.clock, EDITOR, "Demo editor", password)
    notices = await in_force(session, newsletter.id, installation.clock.now())
    for number in range(len(_GIVEN) * len(_FAMILY)):
        asked = signup.Asked(notices["nb"], witnessed=True, origin=Origin("subject", "form"), hours=72)
        request_id = await signup.ask(session, installation, newsletter, _person(number), asked)
        token = signup.confirmation_token(installation.keys, request_id)
        await signup.confirm(session, installation, token)
    # They got their letters long ago: the mailbox begins empty.
    await session.execute(delete(Letter))
    await write(session, installation.clock, newsletter.id, _SUBJECT, _BODY)


def _person(number: int) -> Signup:
    values = (
        _GIVEN[number % len(_GIVEN)],
        _FAMILY[number // len(_GIVEN)],
        _TITLES[number % len(_TITLES)],
        _EMPLOYERS[number % len(_EMPLOYERS)],
    )
    return Signup(read_address(f"reader{number + 1}@example.com"), "nb", dict(zip(FIELDS, values, strict=True)))
