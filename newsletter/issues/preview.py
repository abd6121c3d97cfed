"""An issue as an invented reader gets it: for the preview and the test mail. It measures nothing and unsubscribes
nobody.
"""

from typing import TYPE_CHECKING

from newsletter.database import Session
from newsletter.editors.tables import Editor
from newsletter.installation import Installation
from newsletter.issues import actions
from newsletter.issues.tables import Issue
from newsletter.mail.message import Mailbox, Message
from newsletter.mail.outbox import WrittenLetter
from newsletter.mail.tables import Letter
from newsletter.mail.wire.smtp import Envelope
from newsletter.newsletters.tables import Newsletter
from newsletter.tokens import new_id

if TYPE_CHECKING:
    from newsletter.issues.rendering import Rendered

# Invented, so that no preview ever shows a real person (RULES C7).
READER = {"given_name": "Kari", "family_name": "Nordmann", "title": "Redaktør", "employer": "Eksempel AS"}


def preview(installation: Installation, newsletter: Newsletter, issue: Issue) -> "Rendered":
    """Give the issue for the invented reader, its links direct. Raises InvalidIssue."""
    content = actions.compiled(installation, newsletter, issue.subject, issue.body)
    return content.render(
        READER,
        link=lambda number: content.links[number],
        unsubscribe_url=installation.url(f"/newsletters/{newsletter.slug}"),
        pixel_url=None,
    )


async def write_test(installation: Installation, session: Session, letter: Letter) -> WrittenLetter | None:
    """Write the test mail of an issue to the editor who asked for it."""
    issue = await session.get(Issue, letter.issue_id)
    editor = await session.get(Editor, letter.editor_id)
    if issue is None or editor is None:
        return None
    newsletter = await session.get_one(Newsletter, issue.newsletter_id)
    rendered = preview(installation, newsletter, issue)
    message = Message(
        sender=Mailbox(newsletter.sender_address, newsletter.sender_name or newsletter.name),
        recipient=Mailbox(editor.email, editor.name),
        subject=f"[Test] {rendered.subject}",
        text=rendered.text,
        html=rendered.html,
        date=installation.clock.now(),
        message_id=f"{new_id()}@{installation.settings.host}",
        headers=(("Auto-Submitted", "auto-generated"),),
    )
    return WrittenLetter(Envelope(newsletter.sender_address, editor.email), message.to_bytes())
