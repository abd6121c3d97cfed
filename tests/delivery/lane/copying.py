"""An issue and its copies, made in both ways, and read as a mail program reads them."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from newsletter.delivery.lane.copies import Addresses, Copies, Tokens, whole
from newsletter.issues import limits
from newsletter.issues.layout import Footer
from newsletter.issues.rendering import CompiledIssue, compile_issue
from newsletter.mail.message import Mailbox, list_headers

FOOTER = Footer(
    "Example Books AS",
    "999 999 999",
    "Eksempelgata 1",
    "post@example.com",
    "https://news.example.com/n",
    "https://news.example.com/my",
)
SENDER = Mailbox("news@example.com", "Bøker & «mer»")
DOMAIN = "https://news.example.com"
NOBODY = Tokens("0" * 32, "n" * 44, "unsubscribe+" + "n" * 44 + "@bounces.example.com", "aB-_" * 16 + "no")
KARI = Tokens("1" * 32, "k" * 44, "unsubscribe+" + "k" * 44 + "@bounces.example.com", "--Cd" * 16 + "ka")
MOMENT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def compiled(body: str, subject: str = "Hei {{ given_name }}") -> CompiledIssue:
    return compile_issue(subject=f"Nytt {subject}", body=body, newsletter_name="Bøker", language="nb", footer=FOOTER)


def addresses(content: CompiledIssue, tokens: Tokens, base: str = DOMAIN) -> Addresses:
    unsubscribe_url = f"{base}/unsubscribe/{tokens.unsubscribe}"
    return Addresses(
        message_id=f"{tokens.message_id}@news.example.com",
        links=[f"{base}/click/{tokens.opened}{number}" for number in range(len(content.links))]
        if tokens.opened
        else content.links,
        unsubscribe_url=unsubscribe_url,
        pixel_url=f"{base}/open/{tokens.opened}.gif" if tokens.opened else None,
        headers=list_headers(
            unsubscribe_url=unsubscribe_url,
            unsubscribe_mailto=f"mailto:{tokens.mailbox}?subject=unsubscribe" if tokens.mailbox else None,
            list_id="books.news.example.com",
            list_name="Bøker",
            help_url="https://news.example.com/",
            feedback_id="a:b:c",
        ),
    )


def both(
    content: CompiledIssue,
    reader: dict[str, str | None],
    *,
    to: str = "kari@example.com",
    less: dict[str, str] | None = None,
    base: str = DOMAIN,
) -> tuple[bytes, bytes]:
    """Give the copy, and the same mail written the long way. `less` are tokens that this installation has not."""
    nobody, kari = NOBODY._replace(**less or {}), KARI._replace(**less or {})
    copies = Copies.of(content, SENDER, nobody, addresses(content, nobody, base))
    assert copies is not None
    values = dict.fromkeys(limits.PLACEHOLDERS) | reader
    return (
        copies.write(to, values, kari, MOMENT),
        whole(content, SENDER, to, values, addresses(content, kari, base), MOMENT),
    )


def read(mail: bytes) -> tuple[bytes, str, str, list[Any]]:
    """Give the headers as they stand, both parts as they are read, and the defects the reader found."""
    message = message_from_bytes(mail, policy=default)
    assert isinstance(message, EmailMessage)
    parts = [message.get_body((kind,)) for kind in ("plain", "html")]
    text, markup = (str(part.get_content()) if part else "" for part in parts)
    return mail.partition(b"\r\n\r\n")[0], text, markup, list(message.defects)
