"""The editors' reminders of rights requests that are due: one letter to each, which lists them all and names nobody.

When a request reaches a reminder's day, that day is marked on it and the letters go into the outbox in the same
transaction, so that each reminder goes out once, whoever is killed and however many workers look.
"""

from collections.abc import Sequence

from sqlmodel import col, select

from newsletter.database import Session
from newsletter.editors.tables import Editor
from newsletter.installation import Installation
from newsletter.mail import outbox
from newsletter.mail.letter import Button, Words
from newsletter.mail.message import Mailbox, Message
from newsletter.mail.outbox import WrittenLetter
from newsletter.mail.tables import Letter, LetterKind
from newsletter.mail.wire.smtp import Envelope
from newsletter.newsletters.actions import on_offer
from newsletter.rights.desk.rules import REMINDERS, reminder, standing
from newsletter.rights.desk.tables import RightsRequest
from newsletter.tokens import new_id

_NAMES = {
    "access": "access to their data",
    "rectification": "a correction",
    "erasure": "erasure",
    "restriction": "restriction",
    "portability": "a copy to take along",
    "objection": "an objection",
}


async def remind(session: Session, installation: Installation) -> int:
    """Put a letter to every editor into the outbox where a request reached the day of a reminder; give how many did."""
    today = installation.clock.now().date()
    query = select(RightsRequest).where(col(RightsRequest.closed_on).is_(None)).with_for_update(skip_locked=True)
    due = 0
    for request in (await session.exec(query)).all():
        day = reminder(request.due_on, today)
        if day is not None and (request.reminded_on is None or request.reminded_on < day):
            request.reminded_on = day
            due += 1
    if due:
        for editor_id in (await session.exec(select(Editor.id).where(col(Editor.removed_at).is_(None)))).all():
            outbox.enqueue(session, installation.clock, LetterKind.RIGHTS_DUE, editor_id=editor_id)
    return due


async def write_reminder(installation: Installation, session: Session, letter: Letter) -> WrittenLetter | None:
    """Write the reminder as things are now; None where all has been answered meanwhile."""
    editor = await session.get(Editor, letter.editor_id)
    pressing = await _pressing(session, installation)
    newsletters = await on_offer(session)
    sender = newsletters[0].sender_address if newsletters else installation.settings.controller_email
    if editor is None or not pressing or not sender:
        return None
    words = _words(installation, pressing)
    message = Message(
        sender=Mailbox(sender, installation.settings.controller_name or "newsletter"),
        recipient=Mailbox(editor.email, editor.name),
        subject=words.subject,
        text=words.as_text(),
        html=words.as_html("en"),
        date=installation.clock.now(),
        message_id=f"{new_id()}@{installation.settings.host}",
        headers=(("Auto-Submitted", "auto-generated"),),
    )
    return WrittenLetter(Envelope(sender, editor.email), message.to_bytes())


async def _pressing(session: Session, installation: Installation) -> Sequence[tuple[RightsRequest, int]]:
    today = installation.clock.now().date()
    query = select(RightsRequest).where(col(RightsRequest.closed_on).is_(None)).order_by(col(RightsRequest.due_on))
    counted = [(request, standing(request.due_on, today).days_left) for request in (await session.exec(query)).all()]
    return [(request, left) for request, left in counted if left <= REMINDERS[0]]


def _words(installation: Installation, pressing: Sequence[tuple[RightsRequest, int]]) -> Words:
    overdue = sum(left < 0 for _request, left in pressing)
    subject = f"Overdue: {overdue} of {len(pressing)} rights requests" if overdue else "Rights requests are due"
    return Words(
        subject=subject,
        sender="Rights desk",
        before=[
            "Somebody has asked for what the law gives them, and is to have an answer in time:",
            *(_line(request, left) for request, left in pressing),
        ],
        button=Button("Open the rights desk", installation.url("/console/rights")),
        after=["You get this 14, 7 and 1 days before a request is due, and every day once it is overdue."],
        footer=[installation.settings.controller_name or installation.settings.host],
    )


def _line(request: RightsRequest, left: int) -> str:
    when = f"{-left} days overdue" if left < 0 else "due today" if left == 0 else f"due in {left} days"
    when = when.replace("1 days", "1 day") if abs(left) == 1 else when
    return f"Request for {_NAMES[request.kind]}, received {request.received_on}, due {request.due_on}: {when}."
