"""How a newsletter writes to one person: under whose name, signed by whom, as a mail ready to go.

These are the letters beside the issues: they carry no advertising, and are never measured (RULES A8, D4).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.mail.letter import Words
from newsletter.mail.message import Mailbox, Message
from newsletter.mail.outbox import WrittenLetter
from newsletter.mail.outcome import Envelope
from newsletter.newsletters.controller import responsible_for
from newsletter.newsletters.tables import Newsletter
from newsletter.tokens import new_id

Sent = Callable[[Session], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a letter is for, and in which language; with the address of the one-click way out, where there is one."""

    email: str
    language: str
    unsubscribe_url: str | None = None


def signature(installation: Installation, newsletter: Newsletter) -> Sequence[str]:
    """Give the lines a letter ends with: who answers for it, and where to write."""
    company = responsible_for(installation.settings, newsletter)
    named = (company.name, company.organisation_number, company.address)
    return [", ".join(part for part in named if part), company.contact]


def written(
    installation: Installation, newsletter: Newsletter, addressee: Addressee, words: Words, sent: Sent | None = None
) -> WrittenLetter:
    """Give the letter as it goes over the wire; `sent` is done once the relay has taken it."""
    headers = [("Auto-Submitted", "auto-generated")]
    if addressee.unsubscribe_url:
        headers.append(("List-Unsubscribe", f"<{addressee.unsubscribe_url}>"))
        headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    message = Message(
        sender=Mailbox(newsletter.sender_address, newsletter.sender_name or newsletter.name),
        recipient=Mailbox(addressee.email),
        subject=words.subject,
        text=words.as_text(),
        html=words.as_html(addressee.language),
        date=installation.clock.now(),
        message_id=f"{new_id()}@{installation.settings.host}",
        headers=tuple(headers),
    )
    return WrittenLetter(Envelope(newsletter.sender_address, addressee.email), message.to_bytes(), sent)
