"""What the words of a refusal speak of, in the languages that mail systems speak. Pure.

Codes are given wrongly more often than words: a full mailbox comes back as 5.1.1, a missing one as 5.7.1 or without any
code. So the words decide what a generic code means, and may veto a deadly one (RULES F5). They never make anybody dead.

`refusals.txt` is searched from the top, and the first topic that is spoken of wins: the plain before the vague.
"""

import re
from enum import StrEnum, auto

from newsletter.mail.phrases import folded, sections

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


# Help pages, addresses and hosts may be named for anything; the code of a reply stands on each of its lines.
_NOISE = re.compile(
    r"https?://[^\s>]{0,500}|<[^<>\s]{0,300}>|[^\s<>@]{1,200}@[^\s<>]{1,200}"
    r"|\b(?:[a-z0-9_-]{1,63}\.){1,8}[a-z]{2,24}\b(?=[\s\[:;,()]|$)|\b[245]\d\d-(?=\d)|\[[\d.:a-f]{3,45}\]",
    re.IGNORECASE,
)
_PATTERNS = sections("newsletter.mail", "refusals.txt")
_VETO = _PATTERNS.pop("veto")
_VETO_OF_REPLY = _PATTERNS.pop("veto of a reply")
_BOILERPLATE = _PATTERNS.pop("boilerplate")
_TOPICS = [(Topic(name), pattern) for name, pattern in _PATTERNS.items()]
# With these, or without any words, a deadly code is believed.
_IN_HARMONY = frozenset({None, Topic.NO_MAILBOX, Topic.DISABLED, Topic.HOST, Topic.UNAVAILABLE, Topic.DENIED})


def topic_of(text: str) -> Topic | None:
    """Give what a refusal speaks of, None where its words say nothing."""
    words = _words_of(text)
    return next((topic for topic, pattern in _TOPICS if pattern.search(words)), None)


def vetoes(text: str) -> bool:
    """Say whether the words of a deadly code speak of something else than a missing mailbox (RULES F5)."""
    return topic_of(text) not in _IN_HARMONY or _VETO.search(_words_of(text)) is not None


def vetoes_reply(text: str) -> bool:
    """Say the same of a reply to ourselves: short as it is, more words mean what they say than in a whole report."""
    return vetoes(text) or _VETO_OF_REPLY.search(_words_of(text)) is not None


def _words_of(text: str) -> str:
    return _BOILERPLATE.sub(" ", folded(_NOISE.sub(" ", text[:_MOST]).replace("_", " ")))
