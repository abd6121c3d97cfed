"""What the words of a refusal speak of, in the languages that mail systems speak. Pure.

Codes are given wrongly more often than words: a full mailbox comes back as 5.1.1, a missing one as 5.7.1 or without any
code. So the words decide what a generic code means, and may veto a deadly one (RULES F5). They never make anybody dead.

`refusals.txt` is searched from the top, and the first topic that is spoken of wins: the plain before the vague.
"""

import re
from enum import StrEnum, auto
from functools import cached_property

from newsletter.mail.words.phrases import folded, sections

_MOST = 4000


class Topic(StrEnum):
    """What a refusal is about, by the names of the sections in refusals.txt."""

    FULL = auto()
    SIZE = auto()
    SENDER = auto()
    SPAM = auto()
    VIRUS = auto()
    GREYLISTED = auto()
    SUPPRESSED = auto()
    RATE = auto()
    LOOKUP = auto()
    POLICY = auto()
    HOST = auto()
    ADDRESS_HIDDEN = auto()
    DISABLED = auto()
    NO_MAILBOX = auto()
    NETWORK = auto()
    REFUSED = auto()
    DENIED = auto()
    SYSTEM = auto()
    UNAVAILABLE = auto()
    AFTER_DATA = auto()


# Help pages, addresses and hosts may be named for anything; the code of a reply stands on each of its lines.
_NOISE = re.compile(
    r"https?://[^\s>]{0,500}|<[^<>\s]{0,300}>|[^\s<>@]{1,200}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,20}"
    r"|\b(?:[a-z0-9_-]{1,63}\.){1,8}[a-z]{2,24}\b(?=[\s\[:;,()]|$)|\b[245]\d\d-(?=\d)|\[[\d.:a-f]{3,45}\]",
    re.IGNORECASE,
)
# Some say no more than where one is listed.
_LISTED = re.compile(
    r"https?://[^\s>@]{0,80}\b(?:spamhaus|spamcop|sorbs|abuseat|surbl|uribl|dnsbl|rbl|denyip|barracudacentral|blocklist)\b",
    re.IGNORECASE,
)
_PATTERNS = sections("newsletter.mail.words", "refusals.txt")
_VETO = _PATTERNS.pop("veto")
_VETO_OF_REPLY = _PATTERNS.pop("veto of a reply")
_BOILERPLATE = _PATTERNS.pop("boilerplate")
_AT_SENDER = _PATTERNS.pop("at the sender")
_TOPICS = [(Topic(name), pattern) for name, pattern in _PATTERNS.items()]
# What may be said as early as of the sender.
_SAID_OF_MAILS = frozenset(
    {Topic.SIZE, Topic.SPAM, Topic.GREYLISTED, Topic.RATE, Topic.LOOKUP, Topic.SYSTEM, Topic.POLICY}
)
# With these, or without any words, a deadly code is believed.
IN_HARMONY = frozenset(
    {None, Topic.NO_MAILBOX, Topic.DISABLED, Topic.HOST, Topic.UNAVAILABLE, Topic.DENIED, Topic.AFTER_DATA}
)


class Words:
    """The words of a refusal. What they speak of is found out once, however often it is asked."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def topic(self) -> Topic | None:
        """What they speak of, None where they say nothing."""
        found = next((topic for topic, pattern in _TOPICS if pattern.search(self.plain)), None)
        return Topic.SENDER if self.at_sender and found not in _SAID_OF_MAILS else found

    @cached_property
    def at_sender(self) -> bool:
        """Whether it was the sender that was refused, when no recipient had been named yet."""
        return _AT_SENDER.search(self.plain) is not None

    @cached_property
    def vetoing(self) -> bool:
        """Whether they, beside a deadly code, speak of something else than a missing mailbox (RULES F5)."""
        return self.topic not in IN_HARMONY or _VETO.search(self.plain) is not None

    @cached_property
    def plain(self) -> str:
        """Themselves as patterns are searched in them: folded, without names and phrases that say nothing."""
        return _words_of(self.text)


def topic_of(text: str) -> Topic | None:
    """Give what a refusal speaks of, None where its words say nothing."""
    return Words(text).topic


def vetoes(text: str) -> bool:
    """Say whether the words of a deadly code speak of something else than a missing mailbox (RULES F5)."""
    return Words(text).vetoing


def vetoes_reply(text: str) -> bool:
    """Say the same of a reply to ourselves: short as it is, more words mean what they say than in a whole report."""
    words = Words(text)
    return words.vetoing or _VETO_OF_REPLY.search(words.plain) is not None


def _words_of(text: str) -> str:
    plain = _NOISE.sub(" ", _LISTED.sub(" blocklist ", text[:_MOST]))
    return _BOILERPLATE.sub(" ", folded(plain.replace("_", " ")))
