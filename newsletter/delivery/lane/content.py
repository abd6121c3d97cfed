"""What each recipient gets: the compiled issue, filled in, with its own links, as the bytes that go over the wire.

A measured issue has two forms: one with a pixel and links of its own in each mail, and one without a pixel and with
direct links, for whoever does not want to be measured (RULES D2).
"""

from newsletter.database import Session
from newsletter.delivery.lane.copies import Addresses, Copies, Tokens, whole
from newsletter.delivery.ledger import Recipient
from newsletter.delivery.return_address import ReturnAddresses
from newsletter.installation import Installation
from newsletter.issues.actions import compiled
from newsletter.issues.tables import Issue
from newsletter.mail.echoes import echoed, echoes_of
from newsletter.mail.message import Mailbox, list_headers
from newsletter.mail.wire.smtp import Envelope
from newsletter.measurement.links import click_token, open_token
from newsletter.newsletters.tables import Measurement, Newsletter
from newsletter.subscribers.tables import MeasurementChoice
from newsletter.tokens import new_id, new_nonce
from newsletter.unsubscribe.actions import unsubscribe_token
from newsletter.unsubscribe.mailto import unsubscribe_mailbox

# A plain text: to look a member of an Enum up costs more, for each mail.
_REFUSED = MeasurementChoice.REFUSED.value


class Edition:
    """An issue ready to be written to any number of recipients.

    Raises InvalidIssue or InvalidHeader where it can't be sent.
    """

    def __init__(
        self, installation: Installation, issue: Issue, newsletter: Newsletter, mailing_id: str | None = None
    ) -> None:
        self._installation = installation
        self.newsletter = newsletter
        self._issue_id = issue.id
        self._measured = newsletter.measurement == Measurement.ANONYMOUS
        self._content = compiled(installation, newsletter, issue.subject, issue.body)
        self._sender = Mailbox(newsletter.sender_address, newsletter.sender_name or newsletter.name)
        domain = installation.settings.bounce_domain
        returning = bool(domain and mailing_id)
        self._returns = ReturnAddresses(installation.keys, domain, mailing_id or "") if returning else None
        self._echoes = echoes_of(installation.settings) if returning else b""
        self._copies = self._form(measured=self._measured)
        self._unmeasured = self._form(measured=False) if self._measured else self._copies

    def _form(self, *, measured: bool) -> Copies | None:
        nobody = self._tokens(new_id(), measured=measured)
        return Copies.of(self._content, self._sender, nobody, self._addresses(nobody))

    def write(self, recipient: Recipient) -> tuple[Envelope, bytes]:
        """Write one recipient's mail. Its nonce is made here and kept nowhere, so a retry is a new mail (DESIGN §6)."""
        refused = recipient.measurement == _REFUSED
        tokens = self._tokens(recipient.subscription_id, measured=self._measured and not refused)
        copies, now = self._unmeasured if refused else self._copies, self._installation.clock.now()
        values = {
            "given_name": recipient.given_name,
            "family_name": recipient.family_name,
            "title": recipient.title,
            "employer": recipient.employer,
        }
        if copies:
            mail = copies.write(recipient.email, values, tokens, now)
        else:
            mail = whole(self._content, self._sender, recipient.email, values, self._addresses(tokens), now)
        returns = self._returns
        sender = returns.of(recipient.number, now.timestamp()) if returns else self._sender.address
        if self._echoes:
            mail = echoed(self._echoes, sender) + mail
        return Envelope(sender, recipient.email), mail

    def _tokens(self, subscription_id: str, *, measured: bool) -> Tokens:
        keys, domain = self._installation.keys, self._installation.settings.bounce_domain
        return Tokens(
            message_id=new_nonce().hex(),
            unsubscribe=unsubscribe_token(keys, subscription_id),
            mailbox=unsubscribe_mailbox(keys, subscription_id, domain) if domain else "",
            opened=open_token(keys, self._issue_id, new_nonce()) if measured else "",
        )

    def _addresses(self, tokens: Tokens) -> Addresses:
        settings, opened = self._installation.settings, tokens.opened
        links = self._content.links
        unsubscribe_url = f"{settings.base_url}/unsubscribe/{tokens.unsubscribe}"
        return Addresses(
            message_id=f"{tokens.message_id}@{settings.host}",
            links=[f"{settings.base_url}/click/{click_token(opened, number)}" for number in range(len(links))]
            if opened
            else links,
            unsubscribe_url=unsubscribe_url,
            pixel_url=f"{settings.base_url}/open/{opened}.gif" if opened else None,
            headers=self._list_headers(unsubscribe_url, tokens.mailbox),
        )

    def _list_headers(self, unsubscribe_url: str, mailbox: str) -> tuple[tuple[str, str], ...]:
        host, slug = self._installation.settings.host, self.newsletter.slug
        return list_headers(
            unsubscribe_url=unsubscribe_url,
            unsubscribe_mailto=f"mailto:{mailbox}?subject=unsubscribe" if mailbox else None,
            list_id=f"{slug}.{host}",
            list_name=self.newsletter.name,
            help_url=self._installation.url(f"/newsletters/{slug}"),
            feedback_id=f"{self._issue_id}:{slug}:issue:newsletter",
        )


async def edition_of(
    session: Session, installation: Installation, issue_id: str, mailing_id: str | None = None
) -> Edition:
    """Read an issue and make it ready to be written to its recipients; what comes back of that mailing is known again.

    Raises InvalidIssue or InvalidHeader where it can't be sent.
    """
    issue = await session.get_one(Issue, issue_id)
    newsletter = await session.get_one(Newsletter, issue.newsletter_id)
    return Edition(installation, issue, newsletter, mailing_id)
