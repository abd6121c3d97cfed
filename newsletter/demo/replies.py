"""What the mail hosts of three invented readers send back for an issue, as real ones do. Pure.

One reader has moved away and one's mailbox is full, so their hosts report that the mail did not arrive (RFC 3464). One
is on holiday, and a vacation program answers (RFC 3834): that mail has arrived, and it is no bounce.
"""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.policy import SMTP, default
from email.utils import format_datetime

MOVED, FULL, AWAY = "reader7@example.com", "reader18@example.com", "reader29@example.com"
HOST = "mx.example.com"
_FAILURES = {
    MOVED: ("5.1.1", "550 5.1.1 User unknown"),
    FULL: ("5.2.2", "552 5.2.2 The mailbox is full"),
}
_FAILED = """\
This is the mail system at {host}.

Your message could not be delivered to <{reader}>:

  {reply}
"""
_HOLIDAY = """\
Hei!

Jeg har ferie og leser ikke e-post. Jeg er tilbake på mandag.

Vennlig hilsen
{name}
"""


@dataclass(frozen=True, slots=True)
class Copy:
    """A mail to a reader, as their host took it from a return address; `id` is that of what it sends back."""

    reader: str
    return_address: str
    raw: bytes
    received_at: datetime
    id: str


def reply_to(copy: Copy) -> bytes | None:
    """Give the mail that a reader's host sends back to the return address; None where it sends nothing.

    Letters are let be: only a newsletter's mail has a List-Id.
    """
    mail = message_from_bytes(copy.raw, policy=default)
    if "list-id" not in mail:
        return None
    if copy.reader in _FAILURES:
        return _report(copy, *_FAILURES[copy.reader])
    return _vacation(copy, mail) if copy.reader == AWAY else None


def _report(copy: Copy, status: str, reply: str) -> bytes:
    report = MIMEMultipart("report", report_type="delivery-status")
    _write_head(report, copy, f"Mail Delivery System <MAILER-DAEMON@{HOST}>", "Undelivered Mail Returned to Sender")
    report.attach(MIMEText(_FAILED.format(host=HOST, reader=copy.reader, reply=reply)))
    report.attach(_fields(copy, status, reply))
    head = copy.raw.partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    report.attach(MIMEText(head.replace("\r\n", "\n"), "rfc822-headers"))
    return report.as_bytes(policy=SMTP)


def _fields(copy: Copy, status: str, reply: str) -> Message:
    """Give the part that machines read: a group of fields about the mail, and one about its recipient."""
    of_mail, of_recipient = Message(), Message()
    of_mail["Reporting-MTA"] = f"dns; {HOST}"
    of_mail["Arrival-Date"] = format_datetime(copy.received_at)
    of_recipient["Final-Recipient"] = f"rfc822; {copy.reader}"
    of_recipient["Action"] = "failed"
    of_recipient["Status"] = status
    of_recipient["Diagnostic-Code"] = f"smtp; {reply}"
    part = MIMENonMultipart("message", "delivery-status")
    part.set_payload([of_mail, of_recipient])
    return part


def _vacation(copy: Copy, issue: Message) -> bytes:
    answer = EmailMessage(policy=SMTP)
    reader = str(issue["to"])
    _write_head(answer, copy, reader, f"Automatisk svar: {issue['subject']}")
    answer["In-Reply-To"] = answer["References"] = str(issue["message-id"])
    answer.set_content(_HOLIDAY.format(name=reader.partition("<")[0].strip(' "')), cte="quoted-printable")
    return answer.as_bytes()


def _write_head(mail: Message, copy: Copy, sender: str, subject: str) -> None:
    mail["From"] = sender
    mail["To"] = f"<{copy.return_address}>"
    mail["Subject"] = subject
    mail["Date"] = format_datetime(copy.received_at)
    mail["Message-ID"] = f"<{copy.id}@{HOST}>"
    mail["Auto-Submitted"] = "auto-replied"
