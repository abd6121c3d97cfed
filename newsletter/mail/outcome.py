"""What became of one attempt to send a mail, and what a reply that was not hoped for means. Pure."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from newsletter.mail.words.reply_words import kept_of
from newsletter.mail.words.wording import vetoes_reply

# An address of a network at the beginning of a reply is no code.
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\.?\w)")
_NO_WORDS = re.compile(r"(?:<[^<>]*>|\S+@\S+|\b[245]\.\d{1,3}\.\d{1,3}\b|\s)+")


class OutcomeKind(StrEnum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    NOT_ATTEMPTED = "not_attempted"


class Stage(StrEnum):
    """How far the conversation had come."""

    WRITE = "write"
    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt.

    `vetoed` is where a recipient was refused in words that speak of something else than a missing mailbox. `reply` is
    what may be kept of the words (RULES C7); they decide nothing, so outcomes that differ in them alone are equal.
    """

    kind: OutcomeKind
    stage: Stage
    code: int | None = None
    enhanced: str | None = None
    vetoed: bool = False
    reply: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where a mail comes from and where it goes to, apart from what its headers say."""

    sender: str
    recipient: str


def relay_failed(outcome: Outcome) -> bool:
    """Say whether the relay itself could not be used, so that the outcome says nothing about the recipient."""
    return outcome.kind is OutcomeKind.NOT_ATTEMPTED and outcome.stage in (Stage.CONNECT, Stage.MAIL)


def sender_failed(outcome: Outcome) -> bool:
    """Say whether the relay refused our sender for good: that says nothing about the recipient either."""
    return outcome.kind is OutcomeKind.REFUSED and outcome.stage is Stage.MAIL


def outcome_of_reply(stage: Stage, code: int, text: str, *, recipient: str = "") -> Outcome:
    """Give the outcome of a reply that was not the hoped-for one, about a mail to `recipient`.

    552 at RCPT means a full mailbox, and is tried again like 452 (RULES F9). Nothing of the address is kept.
    """
    found = _ENHANCED.match(text.strip())
    enhanced = found.group(1) if found and found.group(1)[0] == str(code)[0] else None
    reply = kept_of(text, recipient)
    temporary = 400 <= code < 500 or (stage is Stage.RCPT and code == 552)
    if temporary:
        return Outcome(OutcomeKind.DEFERRED, stage, code, enhanced, reply=reply)
    # An address may hold any word, and words are spread over the lines of a reply. Some providers give "no such
    # mailbox" as the code of something else, too (RULES F5).
    vetoed = stage is Stage.RCPT and vetoes_reply(_NO_WORDS.sub(" ", text))
    return Outcome(OutcomeKind.REFUSED, stage, code, enhanced, vetoed, reply)
