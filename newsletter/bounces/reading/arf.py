"""Feedback reports: a reader, or a mailbox provider, complains (RFC 5965, RFC 6591). Pure."""

import re

from newsletter.bounces.reading.mime import Mail
from newsletter.bounces.reading.verdicts import Reading, Verdict

_TYPE = re.compile(r"^feedback-type:[ \t]*([\w-]+)", re.IGNORECASE | re.MULTILINE)
_COMPLAINT = Reading(Verdict.COMPLAINT, "The reader reports the mail as spam.")
_READINGS = {
    "not-spam": Reading(Verdict.NOT_A_BOUNCE, "The reader says that the mail is no spam."),
    "opt-out": Reading(Verdict.UNSUBSCRIBE, "The reader asks to be left out."),
    "opt-out-list": Reading(Verdict.UNSUBSCRIBE, "The reader asks to be left out."),
    "auth-failure": Reading(Verdict.ALARM, "Mail in our name does not pass as ours: SPF, DKIM and DMARC need a look."),
}
_OLD_FORMAT = re.compile(
    r"\b(?:complaint|abuse report|spam report) (?:about|from|regarding|for)\b|\bjunk (?:mail )?report"
    r"|\be-?mail feedback report for",
    re.IGNORECASE,
)
# A report that lost its media type on the way.
_FIELDS = re.compile(r"(?:[\w-]{1,40}:[^\n]{0,300}\n){0,5}feedback-type:[^\n]{1,100}\n", re.IGNORECASE)
_MOST = 4000
_SPAMCOP = re.compile(r"^\s*\[spamcop \(", re.IGNORECASE)


def feedback(mail: Mail) -> Reading | None:
    """Give what a feedback report says; None where the mail is none."""
    for part in mail.of_kind("message/feedback-report"):
        return _reading(part.text)
    declared = mail.head.get("content-type").lower()
    if "report-type=feedback-report" in declared.replace('"', "").replace(" ", ""):
        return _reading("\n".join(part.text for part in mail.parts if part.kind.startswith("text/")))
    return _without_report(mail)


def of_type(kind: str) -> Reading:
    """Give what a Feedback-Type says; one that is missing or unknown is a complaint."""
    return _READINGS.get(kind.lower(), _COMPLAINT)


def _reading(text: str) -> Reading:
    found = _TYPE.search(text)
    return of_type(found.group(1) if found else "")


def _without_report(mail: Mail) -> Reading | None:
    """Some providers send the mail back with a header and a subject of their own."""
    subject = mail.head.get("subject")
    if mail.head.get("x-hmxmroriginalrecipient") or _SPAMCOP.match(subject):
        return _COMPLAINT
    if not any(part.kind.startswith(("message/rfc822", "text/rfc822")) for part in mail.parts):
        return None
    for part in mail.of_kind("text/plain"):
        if _FIELDS.match(part.text[:_MOST].lstrip()):
            return _reading(part.text)
    return _COMPLAINT if _OLD_FORMAT.search(subject) else None
