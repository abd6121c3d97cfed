"""The commands that carry one mail, and what each kind of reply means in the place of each. Tables; pure.

A reply names nothing: only its place in the row says what it answers. So a reply that has no meaning where it stands is
taken as a sign that the row is out of step, and never as news about a recipient.
"""

import re
from dataclasses import dataclass
from enum import StrEnum, auto

import idna

from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage

CLOSING = 421
BAD_SEQUENCE = 503
_ABOUT_THE_CHANNEL = (220, 221)
_SENDABLE = re.compile("[^\x00-\x20<>\x7f-\x9f\u2028\u2029\ud800-\udfff]*")
_LINE_WITH_DOT = re.compile(rb"\n\.")
CRLF = b"\r\n"


class Position(StrEnum):
    """A place in the row of replies, named for the command that it answers.

    VOID is a RCPT or DATA after a refused one that must be refused, too; VOID_DATA may also be answered by an
    invitation to send the content: a server need not notice that nobody is left to get it (RFC 2920 section 3.1).
    """

    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    END = auto()
    EMPTY = auto()
    RSET = auto()
    VOID = auto()
    VOID_DATA = auto()


class Answer(StrEnum):
    """The kinds of replies, by their codes."""

    GOOD = auto()
    GO_ON = auto()
    REFUSAL = auto()
    ODD = auto()


class Meaning(StrEnum):
    """What a reply says in its place."""

    ACCEPTS = auto()
    INVITES = auto()
    REFUSES = auto()
    DECIDES = auto()
    INVITES_NOBODY = auto()
    IN_STEP = auto()
    NOTHING = auto()


MEANINGS: dict[Position, dict[Answer, Meaning]] = {
    Position.MAIL: {Answer.GOOD: Meaning.ACCEPTS, Answer.REFUSAL: Meaning.REFUSES},
    Position.RCPT: {Answer.GOOD: Meaning.ACCEPTS, Answer.REFUSAL: Meaning.REFUSES},
    Position.DATA: {Answer.GO_ON: Meaning.INVITES, Answer.REFUSAL: Meaning.REFUSES},
    Position.END: {Answer.GOOD: Meaning.DECIDES, Answer.REFUSAL: Meaning.DECIDES},
    Position.EMPTY: {Answer.GOOD: Meaning.NOTHING, Answer.REFUSAL: Meaning.NOTHING},
    Position.RSET: {Answer.GOOD: Meaning.IN_STEP},
    Position.VOID: {Answer.REFUSAL: Meaning.NOTHING},
    Position.VOID_DATA: {Answer.REFUSAL: Meaning.NOTHING, Answer.GO_ON: Meaning.INVITES_NOBODY},
}
"""A pair that is missing here has no meaning."""

ENVELOPE = (Position.MAIL, Position.RCPT, Position.DATA)
STAGES = {Position.MAIL: Stage.MAIL, Position.RCPT: Stage.RCPT, Position.DATA: Stage.DATA}
NEXT_STAGE = {Position.MAIL: Stage.RCPT, Position.RCPT: Stage.DATA}
_FIXED = {
    Position.DATA: b"DATA\r\n",
    Position.RSET: b"RSET\r\n",
    Position.END: b".\r\n",
    Position.EMPTY: b".\r\n",
}
AFTER_REFUSAL: dict[Position, tuple[Position, ...]] = {
    Position.MAIL: (Position.VOID, Position.VOID),
    Position.RCPT: (Position.VOID_DATA,),
    Position.DATA: (),
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a reply may take, in seconds (RFC 5321 section 4.5.3.2, RULES F9).

    `block` is for handing a piece of the content to the network. `stall` is for a server that has answered a part of a
    group of commands: it is there, so it has most likely lost the rest.
    """

    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    end: float = 600
    stall: float = 60

    def seconds(self, position: Position, *, partly_answered: bool) -> float:
        """Give how long to wait for the reply in this place."""
        usual = {Position.RCPT: self.rcpt, Position.DATA: self.data, Position.END: self.end}.get(position, self.mail)
        return min(usual, self.stall) if partly_answered else usual


def answer_of(code: int) -> Answer:
    """Say of what kind a reply is. 421 is for the caller to see to: it may stand in every place."""
    if code == 354:
        return Answer.GO_ON
    if code >= 400:
        return Answer.REFUSAL
    return Answer.GOOD if 200 <= code < 300 and code not in _ABOUT_THE_CHANNEL else Answer.ODD


def command(position: Position, envelope: Envelope | None) -> bytes:
    """Give the line that is answered in this place. Only MAIL and RCPT need the envelope."""
    if (fixed := _FIXED.get(position)) is not None:
        return fixed
    assert envelope is not None
    if position is Position.RCPT:
        return f"RCPT TO:<{on_the_envelope(envelope.recipient)}>\r\n".encode()
    international = "" if _is_ascii(envelope) else " SMTPUTF8"
    return f"MAIL FROM:<{on_the_envelope(envelope.sender)}>{international}\r\n".encode()


def unsendable(envelope: Envelope, *, smtputf8: bool) -> Outcome | None:
    """Give the outcome of an envelope that can't go out over this connection, or None.

    An address that would break out of its command is never written; one beyond ASCII needs SMTPUTF8 (RULES F10).
    """
    fits = _SENDABLE.fullmatch(envelope.sender) and _SENDABLE.fullmatch(envelope.recipient)
    if not fits or not envelope.recipient:
        return Outcome(OutcomeKind.REFUSED, Stage.WRITE)
    if not smtputf8 and not _is_ascii(envelope):
        return Outcome(OutcomeKind.REFUSED, Stage.RCPT, None, "5.6.7")
    return None


def on_the_envelope(address: str) -> str:
    """Give an address with its domain in ASCII (RFC 5891), which every relay takes: only what stands before the @ may
    need SMTPUTF8.
    """
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return address


def _is_ascii(envelope: Envelope) -> bool:
    return on_the_envelope(envelope.sender).isascii() and on_the_envelope(envelope.recipient).isascii()


def on_the_wire(content: bytes) -> bytes:
    """Give the content as it goes before its final dot: whole lines, none with a bare dot (RFC 5321 section 4.5.2)."""
    if content.startswith(b"."):
        content = b"." + content
    # Looking first with the expression costs a third of `in`, which is slow for two octets.
    if _LINE_WITH_DOT.search(content):
        content = content.replace(b"\n.", b"\n..")
    return content if content.endswith(CRLF) else content + CRLF
