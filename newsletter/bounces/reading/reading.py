"""What a received mail is and says: bytes in, one reading for each recipient out. Pure, and never raises.

The firmest form comes first: feedback report, delivery report, a service's notice, then what announces itself as an
automatic answer, and only then the words for people. Nothing in the mail is trusted to name the person it is about;
where the subscriber is known, the addresses it names may only veto (RULES F5).
"""

from newsletter.bounces.reading import arf, automatic, dsn, notices, prose, recognising
from newsletter.bounces.reading.codes import enhanced_in, reply_in, status_of
from newsletter.bounces.reading.judging import judge
from newsletter.bounces.reading.mime import Mail, parse
from newsletter.bounces.reading.unsubscribing import is_unsubscribe
from newsletter.bounces.reading.verdicts import Reading, Verdict, worst
from newsletter.mail.words.wording import Words

_SUCCESSES = frozenset({"delivered", "relayed", "expanded"})
_DELIVERED = Reading(Verdict.NOT_A_BOUNCE, "The report is of a success.")
_NO_FAILURE = "The report does not say that the delivery failed."
_DELAYED = "It is delayed, and still being tried."
_ORDINARY = Reading(Verdict.NOT_A_BOUNCE, "It is no report, but a mail.")
_UNSUBSCRIBE = Reading(Verdict.UNSUBSCRIBE, "The reader asks to be left out.")
_UNREADABLE = Reading(Verdict.UNKNOWN, "It could not be read.")


def explain(raw: bytes) -> Reading:
    """Give what a mail says of its worst recipient, whoever that is."""
    return worst(read(raw))


def read(raw: bytes, subscriber: str | None = None) -> list[Reading]:
    """Give what a mail says, a reading for each recipient it names, and at least one.

    `subscriber` is the address that the mail's return address is signed for, where it is known.
    """
    try:
        return _read(parse(raw), subscriber)
    except RecursionError:
        return [_UNREADABLE]


def read_mail(mail: Mail, subscriber: str | None) -> list[Reading]:
    """Give the same of a mail that is taken apart already."""
    try:
        return _read(mail, subscriber)
    except RecursionError:
        return [_UNREADABLE]


def _read(mail: Mail, subscriber: str | None) -> list[Reading]:
    if (complaint := arf.feedback(mail)) is not None:
        return [complaint]
    text = prose.notification(mail)
    if reported := _reported(mail, text):
        several = len(reported) > 1
        said = [prose.about(text, one.addresses) if several else text for one in reported]
        words = {one: Words(one) for one in said}
        return [_of_recipient(one, words[told], subscriber) for one, told in zip(reported, said, strict=True)]
    if (noticed := notices.notice(text, subscriber)) is not None:
        return [noticed]
    return [_without_report(mail, text, subscriber)]


def _reported(mail: Mail, text: str) -> list[dsn.Recipient]:
    """Give the recipients of the report, also of one that lost its media type on the way."""
    if found := dsn.recipients(mail):
        return found
    if "inal-recipient:" not in text.lower() or _answers(mail) or not recognising.is_bounce(mail, text):
        return []
    return [
        recipient
        for recipient in dsn.recipients_in(text)
        if recipient.addresses and (recipient.action or recipient.status)
    ]


def _of_recipient(recipient: dsn.Recipient, told: Words, subscriber: str | None) -> Reading:
    status = status_of(recipient.status)
    if recipient.action in _SUCCESSES or (not recipient.action and (status or "5")[0] == "2"):
        return _DELIVERED
    reading = _judged(recipient, told, status)
    if recipient.action == "delayed" and reading.verdict is not Verdict.MAILBOX_FULL:
        return Reading(Verdict.TRANSIENT, _DELAYED, reading.code)
    if reading.deadly and recipient.action != "failed":
        return Reading(Verdict.UNKNOWN, _NO_FAILURE, reading.code)
    return dsn.of_subscriber(reading, recipient.told_of, subscriber)


def _judged(recipient: dsn.Recipient, told: Words, status: str | None) -> Reading:
    diagnostic = recipient.diagnostic
    if not diagnostic:
        return prose.judge_text(told.text, status)
    # Some name only the kind of failure there, and quote the reply for people alone.
    if not (status or enhanced_in(diagnostic) or reply_in(diagnostic)):
        return prose.judge_text(f"{diagnostic}\n{told.text}")
    return judge(diagnostic, status, told)


def _without_report(mail: Mail, text: str, subscriber: str | None) -> Reading:
    announced = automatic.announced(mail)
    if automatic.is_receipt(mail) or _answers(mail):
        return automatic.AUTOMATIC
    if not (announced or recognising.from_null_sender(mail)) and is_unsubscribe(mail):
        return _UNSUBSCRIBE
    if recognising.is_bounce(mail, text):
        return _told(mail, text, subscriber)
    if announced or automatic.worded(text) or automatic.is_disposal(mail):
        return automatic.AUTOMATIC
    return _ORDINARY


def _answers(mail: Mail) -> bool:
    """Say whether the subject announces an automatic answer; it may quote a bounce, as a bounce may quote an answer."""
    answered, bounced = automatic.subject_place(mail), recognising.subject_place(mail)
    return answered is not None and (bounced is None or answered < bounced)


def _told(mail: Mail, text: str, subscriber: str | None) -> Reading:
    """Read what a mail system tells in its own words, or in a report that it hands on as an attachment."""
    if recognising.tells_of_success(text):
        return _DELIVERED
    told = prose.judge_text(text, subscriber=subscriber)
    if told.verdict is Verdict.UNKNOWN and told.code is None:
        inner = [parse(part.text.encode("utf-8", "surrogateescape")) for part in mail.of_kind("message/rfc822")]
        handed_on = [_of_recipient(one, Words(""), subscriber) for report in inner for one in dsn.recipients(report)]
        return worst([told, *handed_on])
    return told
