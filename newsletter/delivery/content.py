"""What each recipient gets: the compiled issue, filled in, with its own links, as the bytes that go over the wire."""

from dataclasses import asdict, dataclass

from newsletter.database import Session
from newsletter.delivery.ledger import Recipient
from newsletter.installation import Installation
from newsletter.issues.actions import compiled
from newsletter.issues.rendering import CompiledIssue
from newsletter.issues.tables import Issue
from newsletter.mail.message import Mailbox, Message, list_headers
from newsletter.mail.smtp import Envelope
from newsletter.measurement.links import click_token, open_token
from newsletter.newsletters.tables import Measurement, Newsletter
from newsletter.tokens import new_id, new_nonce
from newsletter.unsubscribe.actions import unsubscribe_token
from newsletter.unsubscribe.mailto import unsubscribe_mailbox


@dataclass(frozen=True, slots=True)
class Edition:
    """An issue ready to be written to any number of recipients."""

    installation: Installation
    issue: Issue
    newsletter: Newsletter
    content: CompiledIssue

    def write(self, recipient: Recipient) -> tuple[Envelope, bytes]:
        """Write one recipient's mail. Its nonce is made here and kept nowhere, so a retry is a new mail (DESIGN §6)."""
        installation, newsletter = self.installation, self.newsletter
        token = unsubscribe_token(installation.keys, recipient.subscription_id)
        unsubscribe_url = installation.url(f"/unsubscribe/{token}")
        measured = newsletter.measurement == Measurement.ANONYMOUS
        nonce = new_nonce()
        rendered = self.content.render(
            {name: value for name, value in asdict(recipient).items() if isinstance(value, str)},
            link=(lambda number: self._click_url(nonce, number))
            if measured
            else (lambda number: self.content.links[number]),
            unsubscribe_url=unsubscribe_url,
            pixel_url=self._pixel_url(nonce) if measured else None,
        )
        message = Message(
            sender=Mailbox(newsletter.sender_address, newsletter.sender_name or newsletter.name),
            recipient=Mailbox(recipient.email),
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            date=installation.clock.now(),
            message_id=f"{new_id()}@{installation.settings.host}",
            headers=self._list_headers(unsubscribe_url, recipient.subscription_id),
        )
        return Envelope(newsletter.sender_address, recipient.email), message.to_bytes()

    def _list_headers(self, unsubscribe_url: str, subscription_id: str) -> tuple[tuple[str, str], ...]:
        settings, newsletter = self.installation.settings, self.newsletter
        domain = settings.bounce_domain
        mailbox = unsubscribe_mailbox(self.installation.keys, subscription_id, domain)
        return list_headers(
            unsubscribe_url=unsubscribe_url,
            unsubscribe_mailto=f"mailto:{mailbox}?subject=unsubscribe" if domain else None,
            list_id=f"{newsletter.slug}.{settings.host}",
            list_name=newsletter.name,
            help_url=self.installation.url(f"/newsletters/{newsletter.slug}"),
            feedback_id=f"{self.issue.id}:{newsletter.slug}:issue:newsletter",
        )

    def _click_url(self, nonce: bytes, number: int) -> str:
        return self.installation.url(f"/click/{click_token(self.installation.keys, self.issue.id, nonce, number)}")

    def _pixel_url(self, nonce: bytes) -> str:
        return self.installation.url(f"/open/{open_token(self.installation.keys, self.issue.id, nonce)}.gif")


async def edition_of(session: Session, installation: Installation, issue_id: str) -> Edition:
    """Read an issue and make it ready to be written to its recipients. Raises InvalidIssue where it can't be sent."""
    issue = await session.get_one(Issue, issue_id)
    newsletter = await session.get_one(Newsletter, issue.newsletter_id)
    return Edition(installation, issue, newsletter, compiled(installation, newsletter, issue.subject, issue.body))
