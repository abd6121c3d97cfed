"""The verdict on one refusal, from its codes and words, as tables. Pure (RULES F2, F5, F9).

A code decides where it is exact; where it only names a field ("mailbox", "security") its words say what happened; and
words alone never make anybody dead. The reasons are sentences of ours.
"""

from newsletter.bounces.reading.codes import DEAD, counting, enhanced_in, reply_in
from newsletter.bounces.reading.verdicts import Reading, Verdict
from newsletter.mail.words.wording import IN_HARMONY, Topic, Words

_BY_TOPIC: dict[Topic, tuple[Verdict, str]] = {
    Topic.FULL: (Verdict.MAILBOX_FULL, "The mailbox is full."),
    Topic.SIZE: (Verdict.CONTENT, "The mail is too large for them."),
    Topic.SENDER: (Verdict.POLICY, "They do not accept the sender or the sending server."),
    Topic.SPAM: (Verdict.POLICY, "They took it for spam."),
    Topic.VIRUS: (Verdict.CONTENT, "They do not accept what the mail holds."),
    Topic.GREYLISTED: (Verdict.TRANSIENT, "It failed for now, and may work later."),
    Topic.SUPPRESSED: (Verdict.POLICY, "The relay keeps the address on a list of its own and did not try."),
    Topic.RATE: (Verdict.TRANSIENT, "Too much came at once."),
    Topic.LOOKUP: (Verdict.TRANSIENT, "A name could not be looked up in time."),
    Topic.POLICY: (Verdict.POLICY, "They refused it by a rule of theirs."),
    Topic.HOST: (Verdict.DEAD_IF_REPEATED, "The domain does not exist."),
    Topic.ADDRESS_HIDDEN: (Verdict.POLICY, "They refused it by a rule of theirs."),
    Topic.DISABLED: (Verdict.UNKNOWN, "The words say that the mailbox is closed, but no code that counts does."),
    Topic.NO_MAILBOX: (Verdict.UNKNOWN, "The words say that there is no such mailbox, but no code that counts does."),
    Topic.NETWORK: (Verdict.TRANSIENT, "The other mail server could not be reached, or not in time."),
    Topic.REFUSED: (Verdict.POLICY, "They refused it by a rule of theirs."),
    Topic.DENIED: (Verdict.POLICY, "They refused it."),
    Topic.SYSTEM: (Verdict.TRANSIENT, "A mail server on the way was in trouble."),
    Topic.UNAVAILABLE: (Verdict.UNKNOWN, "The mailbox is not available, and nothing says why."),
    # RULES F9: what is refused when the whole mail is there is refused for what it is.
    Topic.AFTER_DATA: (Verdict.POLICY, "They refused it."),
}
_VETOED = (Verdict.UNKNOWN, "The code says that the address is dead, but its words speak of something else.")
_NOTHING = Words("")
_SILENT = (Verdict.UNKNOWN, "Nothing says why.")

# Codes that decide by themselves, after their class.
_EXACT: dict[str, tuple[Verdict, str]] = {
    "1.7": (Verdict.ALARM, "They call our sender address wrong."),
    "1.8": (Verdict.ALARM, "They call our sender's domain wrong, or have closed it out."),
    "2.2": _BY_TOPIC[Topic.FULL],
    "2.3": _BY_TOPIC[Topic.SIZE],
    "2.121": _BY_TOPIC[Topic.RATE],
    "2.122": _BY_TOPIC[Topic.RATE],
    "3.4": _BY_TOPIC[Topic.SIZE],
    "7.26": (Verdict.ALARM, "Our mail does not pass as ours: SPF, DKIM and DMARC need a look."),
    "7.27": (Verdict.ALARM, "Our sender's domain takes no mail, or SPF fails."),
    "7.515": (Verdict.ALARM, "Our mail does not meet the rules for senders of much mail."),
}
# What a code of a field means where its words say nothing.
_BY_FIELD: dict[str, tuple[Verdict, str]] = {
    "3": _BY_TOPIC[Topic.SYSTEM],
    "4": _BY_TOPIC[Topic.NETWORK],
    "6": _BY_TOPIC[Topic.VIRUS],
    "7": _BY_TOPIC[Topic.POLICY],
}
# Which topics are heard within a field; elsewhere all are.
_HEARD: dict[str, frozenset[Topic]] = {
    "6": frozenset({Topic.FULL, Topic.SPAM, Topic.POLICY, Topic.REFUSED, Topic.SENDER}),
    "7": frozenset({Topic.FULL, Topic.SIZE, Topic.VIRUS, Topic.NO_MAILBOX, Topic.DISABLED}),
}

_SAY_LITTLE = frozenset({None, Topic.DENIED, Topic.UNAVAILABLE, Topic.AFTER_DATA})
_NOT_CLOSED = frozenset(
    {
        *(Topic.FULL, Topic.RATE, Topic.SIZE, Topic.SPAM, Topic.POLICY, Topic.REFUSED, Topic.VIRUS, Topic.SENDER),
        Topic.NETWORK,
    }
)


def judge(text: str, status: str | None = None, more: Words = _NOTHING) -> Reading:
    """Judge one final refusal: its text (a Diagnostic-Code or a quoted reply), and the Status field beside it.

    `more` are further words about the same refusal, heard only where the text says nothing.
    """
    reply = reply_in(text)
    code = counting(status, enhanced_in(text), reply)
    shown = code or reply
    words = Words(text)
    topic = Topic.SENDER if more.at_sender and words.topic in IN_HARMONY else words.topic or more.topic
    if (code or reply or "5")[0] == "4":
        verdict, reason = _temporary(topic)
    elif code is None or code[0] == "2":
        verdict, reason = _by_words(topic, reply)
    else:
        vetoed = words.vetoing or more.at_sender or (words.topic in _SAY_LITTLE and more.vetoing)
        verdict, reason = _by_code(code[2:], topic, reply, vetoed=vetoed)
    return Reading(verdict, reason, shown)


def alarm_reason(code: str) -> str:
    """Give what is wrong with our own mail where it comes back with this code."""
    verdict, reason = _EXACT.get(code[2:], (Verdict.UNKNOWN, ""))
    return reason if verdict is Verdict.ALARM else "They say that our mail is not what it should be."


def _temporary(topic: Topic | None) -> tuple[Verdict, str]:
    if topic is Topic.FULL:
        return _BY_TOPIC[topic]
    return _BY_TOPIC[Topic.GREYLISTED]


def _by_words(topic: Topic | None, reply: str | None) -> tuple[Verdict, str]:
    # A bare 552 is what a full mailbox gets (RFC 5321 §4.2.3).
    if reply == "552" and topic in (None, Topic.UNAVAILABLE, Topic.SYSTEM):
        return _BY_TOPIC[Topic.FULL]
    return _BY_TOPIC[topic] if topic else _SILENT


def _by_code(detail: str, topic: Topic | None, reply: str | None, *, vetoed: bool) -> tuple[Verdict, str]:
    if detail in DEAD:
        return _VETOED if vetoed else (Verdict.DEAD, "There is no such mailbox.")
    if detail == "1.2":
        return _VETOED if vetoed else _BY_TOPIC[Topic.HOST]
    if detail == "2.1":
        return _closed(topic, vetoed=vetoed)
    if detail in _EXACT:
        return _EXACT[detail]
    field = detail.partition(".")[0]
    if topic is Topic.ADDRESS_HIDDEN and field in ("1", "4"):
        return _BY_TOPIC[Topic.NO_MAILBOX]
    if field in _HEARD:
        return _BY_TOPIC[topic] if topic in _HEARD[field] else _BY_FIELD[field]
    if topic in (None, Topic.UNAVAILABLE, Topic.AFTER_DATA) and field in _BY_FIELD:
        return _BY_FIELD[field]
    return _by_words(topic, reply)


def _closed(topic: Topic | None, *, vetoed: bool) -> tuple[Verdict, str]:
    """A mailbox that takes no mail: dead when that is repeated, unless the words say what else it is."""
    if topic in _NOT_CLOSED:
        return _BY_TOPIC[topic]
    return _VETOED if vetoed else (Verdict.DEAD_IF_REPEATED, "The mailbox is closed.")
