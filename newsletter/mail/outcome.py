"""What became of one attempt to send a mail, and what a reply that was not hoped for means. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

# An address of a network at the beginning of a reply is no code.
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\.?\w)")


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
    """What became of one attempt: codes only, for a reply's text may hold the address (RULES C7)."""

    kind: OutcomeKind
    stage: Stage
    code: int | None = None
    enhanced: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where a mail comes from and where it goes to, apart from what its headers say."""

    sender: str
    recipient: str


def outcome_of_reply(stage: Stage, code: int, text: str) -> Outcome:
    """Give the outcome of a reply that was not the hoped-for one.

    552 at RCPT means a full mailbox, and is tried again like 452 (RULES F9).
    """
    found = _ENHANCED.match(text.strip())
    enhanced = found.group(1) if found and found.group(1)[0] == str(code)[0] else None
    temporary = 400 <= code < 500 or (stage is Stage.RCPT and code == 552)
    return Outcome(OutcomeKind.DEFERRED if temporary else OutcomeKind.REFUSED, stage, code, enhanced)
