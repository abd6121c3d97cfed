"""The letter with the link to a new password: no word of whoever asked, and only to an address that is an editor's."""

from newsletter.database import Session
from newsletter.editors.signing_in import recovery
from newsletter.installation import Installation
from newsletter.language import translator
from newsletter.mail.letter import Button, Words
from newsletter.mail.message import Mailbox, Message
from newsletter.mail.outbox import WrittenLetter
from newsletter.mail.outcome import Envelope
from newsletter.mail.tables import Letter
from newsletter.tokens import new_id


async def write_recovery(
    installation: Installation, session: Session, letter: Letter, sender: str
) -> WrittenLetter | None:
    """Write the letter, from `sender`; None where there is no such editor, or nobody to send it."""
    found = await recovery.settle(session, installation, letter.recovery_id or "")
    if found is None or not sender:
        return None
    asked, editor = found
    say = translator(asked.language)
    company = installation.settings.controller_name or installation.settings.host
    words = Words(
        subject=say("A new password for the console"),
        sender=company,
        before=[say("Somebody asked for a new password to the console of the newsletters.")],
        button=Button(
            say("Choose a new password"),
            installation.url(f"/console/recover/{recovery.link_token(installation, asked)}"),
        ),
        after=[
            say("The link works once, within %(minutes)s minutes.")
            % {"minutes": int(recovery.LIFE.total_seconds() // 60)},
            say("If it was not you, do nothing. Nobody but you has this link. Please don't pass it on."),
        ],
        footer=[company],
    )
    message = Message(
        sender=Mailbox(sender, installation.settings.controller_name or "newsletter"),
        recipient=Mailbox(editor.email, editor.name),
        subject=words.subject,
        text=words.as_text(),
        html=words.as_html(asked.language),
        date=installation.clock.now(),
        message_id=f"{new_id()}@{installation.settings.host}",
        headers=(("Auto-Submitted", "auto-generated"),),
    )
    return WrittenLetter(Envelope(sender, editor.email), message.to_bytes())
