"""What each recipient gets: the compiled issue, filled in, with its own links, as the bytes that go over the wire."""

from dataclasses import dataclass

from newsletter.database import Session
from newsletter.delivery.copies import Copies, Particulars
from newsletter.delivery.ledger import Recipient
from newsletter.installation import Installation
from newsletter.issues.actions import compiled
from newsletter.issues.rendering import CompiledIssue, given
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
    sender: Mailbox
    copies: Copies | None

    def write(self, recipient: Recipient) -> tuple[Envelope, bytes]:
        """Write one recipient's mail. Its nonce is made here and kept nowhere, so a retry is a new mail (DESIGN §6)."""
        personal = self._personal(recipient)
        mail = self.copies.write(personal) if self.copies else self._render(personal)
        return Envelope(self.newsletter.sender_address, recipient.email), mail

    def _personal(self, recipient: Recipient) -> Particulars:
        installation, issue = self.installation, self.issue
        keys, base_url = installation.keys, installation.settings.base_url
        unsubscribe_url = f"{base_url}/unsubscribe/{unsubscribe_token(keys, recipient.subscription_id)}"
        links, pixel_url = list(self.content.links), None
        if self.newsletter.measurement == Measurement.ANONYMOUS:
            token = open_token(keys, issue.id, new_nonce())
            links = [f"{base_url}/click/{click_token(token, number)}" for number in range(len(links))]
            pixel_url = f"{base_url}/open/{token}.gif"
        return Particulars(
            recipient=recipient.email,
            values=given(
                {
                    "given_name": recipient.given_name,
                    "family_name": recipient.family_name,
                    "title": recipient.title,
                    "employer": recipient.employer,
                }
            ),
            message_id=f"{new_id()}@{installation.settings.host}",
            date=installation.clock.now(),
            links=links,
            unsubscribe_url=unsubscribe_url,
            pixel_url=pixel_url,
            headers=self._list_headers(unsubscribe_url, recipient.subscription_id),
        )

    def _render(self, personal: Particulars) -> bytes:
        """Write the mail the long way: Liquid for the whole, and every byte of it encoded anew."""
        rendered = self.content.render(
            personal.values,
            link=personal.links.__getitem__,
            unsubscribe_url=personal.unsubscribe_url,
            pixel_url=personal.pixel_url,
        )
        return Message(
            sender=self.sender,
            recipient=Mailbox(personal.recipient),
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            date=personal.date,
            message_id=personal.message_id,
            headers=personal.headers,
        ).to_bytes()

    def _list_headers(self, unsubscribe_url: str, subscription_id: str) -> tuple[tuple[str, str], ...]:
        settings, newsletter = self.installation.settings, self.newsletter
        domain = settings.bounce_domain
        mailbox = unsubscribe_mailbox(self.installation.keys, subscription_id, domain) if domain else None
        return list_headers(
            unsubscribe_url=unsubscribe_url,
            unsubscribe_mailto=f"mailto:{mailbox}?subject=unsubscribe" if mailbox else None,
            list_id=f"{newsletter.slug}.{settings.host}",
            list_name=newsletter.name,
            help_url=self.installation.url(f"/newsletters/{newsletter.slug}"),
            feedback_id=f"{self.issue.id}:{newsletter.slug}:issue:newsletter",
        )


async def edition_of(session: Session, installation: Installation, issue_id: str) -> Edition:
    """Read an issue and make it ready to be written to its recipients. Raises InvalidIssue where it can't be sent."""
    issue = await session.get_one(Issue, issue_id)
    newsletter = await session.get_one(Newsletter, issue.newsletter_id)
    content = compiled(installation, newsletter, issue.subject, issue.body)
    sender = Mailbox(newsletter.sender_address, newsletter.sender_name or newsletter.name)
    return Edition(installation, issue, newsletter, content, sender, Copies.of(content, sender))
