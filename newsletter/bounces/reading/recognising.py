"""Telling a mail system's report from other mail, where no standard form says it. Pure.

No single sign is enough: vacation answers come from the null sender too, and people forward bounces. So signs are
weighed.
"""

import re

from newsletter.bounces.reading.automatic import is_answer
from newsletter.bounces.reading.codes import enhanced_in, reply_in
from newsletter.bounces.reading.mime import Mail
from newsletter.mail.words.phrases import folded, sections
from newsletter.mail.words.wording import Topic, topic_of

_ENOUGH = 3
_MOST_FOR_FLUFL = 8000
_LINE_FOR_FLUFL = 200
_PATTERNS = sections("newsletter.bounces.reading", "letters.txt")
_DAEMON = _PATTERNS["report sender"]
_SUBJECT = _PATTERNS["report subject"]
_PHRASE = _PATTERNS["report words"]
_SUCCESS = _PATTERNS["report success"]
_NULL = re.compile(r"\s*<\s*>\s*")
_TELLING = frozenset(
    {
        Topic.FULL,
        Topic.NO_MAILBOX,
        Topic.SPAM,
        Topic.POLICY,
        Topic.REFUSED,
        Topic.SIZE,
        Topic.VIRUS,
        Topic.HOST,
        Topic.DISABLED,
    }
)


def from_null_sender(mail: Mail) -> bool:
    """Say whether the envelope's sender was the null one, as far as the last server noted it."""
    return _NULL.fullmatch(mail.head.get("return-path")) is not None


def subject_place(mail: Mail) -> int | None:
    """Give where in the subject a bounce is announced; None where none is."""
    found = _SUBJECT.search(folded(mail.head.get("subject")[:500]))
    return found.start() if found else None


def is_bounce(mail: Mail, text: str) -> bool:
    """Say whether a mail without a report is one from a mail system about a delivery; `text` is what it says itself."""
    daemon = _DAEMON.search(folded(mail.head.get("from")[:500])) is not None
    signs = (
        (3, bool(mail.head.get("x-failed-recipients"))),
        (2, daemon),
        (1, from_null_sender(mail)),
        (2, subject_place(mail) is not None),
        (2, _PHRASE.search(folded(text[:4000])) is not None),
        (1, bool(enhanced_in(text) or reply_in(text)) or topic_of(text) in _TELLING),
        (1, any(part.kind.startswith(("message/rfc822", "text/rfc822")) for part in mail.parts)),
        (-3, is_answer(mail)),
        (-4, not daemon and bool(mail.head.get("list-id") or mail.head.get("list-unsubscribe"))),
    )
    weight = sum(points for points, seen in signs if seen)
    return weight >= _ENOUGH or (weight > 0 and _known_to_flufl(mail, text))


def tells_of_success(text: str) -> bool:
    """Say whether a mail system tells in its own words that a mail arrived, and of nothing else."""
    if topic_of(text) is not None or enhanced_in(text) or reply_in(text):
        return False
    return _SUCCESS.search(folded(text)) is not None


def _known_to_flufl(mail: Mail, text: str) -> bool:
    """Ask the collection of odd formats; it says that a delivery failed, not why."""
    # Few mails come as far as this, and to load it takes as long as to read one.
    import logging
    from email.message import Message

    from flufl.bounce import all_failures

    # It writes what it stumbles on into the log, mails and all.
    logging.getLogger("flufl.bounce").disabled = True
    asked = Message()
    asked["From"], asked["Subject"] = (re.sub(r"\s", " ", mail.head.get(name)[:200]) for name in ("from", "subject"))
    # Its patterns take long over long lines.
    asked.set_payload("\n".join(line[:_LINE_FOR_FLUFL] for line in text[:_MOST_FOR_FLUFL].split("\n")))
    try:
        temporary, permanent = all_failures(asked)
    except Exception:  # it was written for mails, and may meet any text
        return False
    return bool(temporary or permanent)
