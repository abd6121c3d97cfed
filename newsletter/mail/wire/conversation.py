"""The sender's half of an SMTP conversation, after its beginnings are over. No socket, no clock: bytes in, bytes out.

Where the server takes groups (PIPELINING, RFC 2920), one group carries the content of one mail and the envelope of the
next, so that a mail costs one round trip; else each command waits for the reply to the one before (lockstep). A turn is
one group: `write` gives it, `receive` reads the replies, and when all are there it is our turn again.

A verdict is given when a reply *after* it shows that the row of replies is in step: 354 fits only DATA, and RSET is
never refused. If it turns out to be out of step, whatever had been read about the mails on their way is void: in doubt
where content has left, not attempted where none has. Such a server gets lockstep from then on (`distrusted`).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage, outcome_of_reply
from newsletter.mail.wire.exchange import (
    AFTER_REFUSAL,
    BAD_SEQUENCE,
    CLOSING,
    ENVELOPE,
    MEANINGS,
    NEXT_STAGE,
    STAGES,
    Answer,
    Meaning,
    Position,
    answer_of,
    command,
    on_the_wire,
)
from newsletter.mail.wire.replies import InvalidReply, Reply, ReplyReader

_DELIVERED = Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)
_IN_DOUBT = Outcome(OutcomeKind.IN_DOUBT, Stage.DATA)
_CUT_SHORT = Outcome(OutcomeKind.DEFERRED, Stage.DATA)


class OutOfTurn(RuntimeError):
    """It is the server's turn, or the conversation is over."""


@dataclass(slots=True, eq=False)
class Mail:
    """One mail to one recipient. `begun` is called right before anything of its content can leave."""

    envelope: Envelope
    content: bytes = field(repr=False)
    begun: Callable[[], object] = lambda: None


Verdict = tuple[Mail, Outcome]


class Group(NamedTuple):
    """What to write: the content, then the commands that follow it; the first of these is then the final dot."""

    content: bytes
    commands: bytes


class _Held(NamedTuple):
    """A verdict that waits for a reply that fits; `otherwise` is what is true if there is none."""

    mail: Mail
    outcome: Outcome
    otherwise: Outcome


class Conversation:
    """What has been said on one connection, and what that means for each mail."""

    def __init__(self, *, pipelining: bool) -> None:
        self.over = False
        self.distrusted = False
        self.invited: Mail | None = None
        self._pipelining = pipelining
        self._reader = ReplyReader()
        self._todo: list[Position] = []
        self._expected: deque[Position] = deque()
        self._group_size = 0
        self._asked: Mail | None = None
        self._stage = Stage.MAIL
        self._sent: Mail | None = None
        self._dot_left = False
        self._held: list[_Held] = []
        self._given: list[Verdict] = []

    @property
    def turn(self) -> bool:
        """Say whether it is for us to write: all is answered, and the server has not begun to say more."""
        return not self._expected and self._reader.between and not self.over

    @property
    def wants_mail(self) -> bool:
        """Say whether the next group has room for the envelope of a further mail."""
        return self.turn and (self._pipelining or not self._todo)

    @property
    def idle(self) -> bool:
        """Say whether everything that was begun has come to its end, on a connection that is still good."""
        return self.turn and not self._todo

    @property
    def awaited(self) -> Position | None:
        """Say what is to be answered next."""
        return self._expected[0] if self._expected else None

    @property
    def unanswered(self) -> int:
        """Give the number of replies that are still to come."""
        return len(self._expected)

    @property
    def partly_answered(self) -> bool:
        """Say whether some of the group has been answered, and some has not."""
        return 0 < len(self._expected) < self._group_size

    def write(self, following: Mail | None) -> Group:
        """Give the next group, with the envelope of `following` if there is one. Raises OutOfTurn.

        Where it holds content, `finish` is to be called right before its commands can leave.
        """
        if not self.turn or (following is not None and not self.wants_mail):
            raise OutOfTurn
        if following is not None:
            self._asked, self._stage = following, Stage.MAIL
            self._todo += ENVELOPE
        elif self._todo == [Position.END]:
            self._todo.append(Position.RSET)
        count = len(self._todo) if self._pipelining else 1
        group, self._todo = self._todo[:count], self._todo[count:]
        self._expected.extend(group)
        self._group_size = len(group)
        envelope = self._asked.envelope if self._asked is not None else None
        return Group(self._begin_content(), b"".join([command(position, envelope) for position in group]))

    def _begin_content(self) -> bytes:
        if self.invited is None:
            return b""
        self._sent, self.invited, self._dot_left = self.invited, None, False
        return on_the_wire(self._sent.content)

    def finish(self) -> None:
        """Note that the final dot can leave from here on."""
        self._dot_left = True

    def receive(self, data: bytes) -> list[Verdict]:
        """Read what the server says, and give the verdicts that are sure now. Raises nothing, whatever the bytes."""
        if not self.over:
            try:
                for reply in self._reader.read(data):
                    if not self._take(reply):
                        break
            except InvalidReply:
                return self.lose()
        return self._gather()

    def lose(self) -> list[Verdict]:
        """Note that the connection is gone, and give the verdicts on all that was on its way."""
        self._part()
        return self._gather()

    def fall_silent(self) -> list[Verdict]:
        """Note that a reply took too long, and give the verdicts; the connection is of no use any more.

        A group that stays half-answered proves nothing about a mail of which nothing has left: lockstep will tell.
        """
        if not self.over and self._pipelining and self.awaited is not Position.END:
            self.distrusted = True
            for held in self._held:
                self._give(held.mail, held.outcome if held.otherwise is _IN_DOUBT else held.otherwise)
            self._held.clear()
        return self.lose()

    def _take(self, reply: Reply) -> bool:
        """Say whether there is more to read."""
        if reply.code == CLOSING:
            self._close(reply)
            return False
        position = self._expected.popleft() if self._expected else None
        answer = answer_of(reply.code)
        meaning = MEANINGS[position].get(answer) if position is not None else None
        if position is None or meaning is None or self._is_lost(position, reply):
            self._lose_step()
        else:
            self._follow(meaning, position, reply)
        return not self.over

    def _is_lost(self, position: Position, reply: Reply) -> bool:
        """Say whether the reply shows that the server has missed a command, or answers what has not been said yet."""
        if position is Position.END:
            return not self._dot_left and answer_of(reply.code) is Answer.GOOD
        return self._pipelining and reply.code == BAD_SEQUENCE and position in ENVELOPE

    def _follow(self, meaning: Meaning, position: Position, reply: Reply) -> None:
        match meaning:
            case Meaning.ACCEPTS:
                self._stage = NEXT_STAGE[position]
            case Meaning.INVITES:
                self.invited, self._asked = self._asked, None
                self._todo = [Position.END]
                self._release()
            case Meaning.DECIDES:
                self._decide(reply)
                if not self._dot_left:
                    self._part()
            case Meaning.REFUSES:
                self._refuse(position, reply)
            case Meaning.INVITES_NOBODY:
                self._todo.insert(0, Position.EMPTY)
            case Meaning.IN_STEP:
                self._release()
            case Meaning.NOTHING:
                pass

    def _decide(self, reply: Reply) -> None:
        assert self._sent is not None
        if answer_of(reply.code) is Answer.GOOD:
            outcome = _DELIVERED if reply.code == 250 else _delivered(reply)
        else:
            outcome = _outcome(Stage.DATA, reply, self._sent)
        self._held.append(_Held(self._sent, outcome, _IN_DOUBT))
        self._sent = None

    def _refuse(self, position: Position, reply: Reply) -> None:
        assert self._asked is not None
        stage = STAGES[position]
        refused = _outcome(stage, reply, self._asked)
        self._held.append(_Held(self._asked, refused, Outcome(OutcomeKind.NOT_ATTEMPTED, stage)))
        self._asked = None
        self._todo = [Position.RSET]
        if self._pipelining:
            self._expected = deque(AFTER_REFUSAL[position])

    def _close(self, reply: Reply) -> None:
        """Take leave: the server closes the connection, which it may do in any place (RFC 5321 section 3.8)."""
        if self.awaited is Position.END:
            self._decide(reply)
        self._part(reply.code)

    def _lose_step(self) -> None:
        self.distrusted = self._pipelining
        for held in self._held:
            self._give(held.mail, held.otherwise)
        self._held.clear()
        self._part()

    def _part(self, code: int | None = None) -> None:
        self.over = True
        self._release()
        if self._sent is not None:
            self._give(self._sent, _IN_DOUBT if self._dot_left else _CUT_SHORT)
        if self._asked is not None:
            self._give(self._asked, Outcome(OutcomeKind.NOT_ATTEMPTED, self._stage, code))
        if self.invited is not None:
            self._give(self.invited, Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.DATA, code))
        self._sent = self._asked = self.invited = None
        self._expected.clear()
        self._todo = []

    def _release(self) -> None:
        for held in self._held:
            self._give(held.mail, held.outcome)
        self._held.clear()

    def _give(self, mail: Mail, outcome: Outcome) -> None:
        self._given.append((mail, outcome))

    def _gather(self) -> list[Verdict]:
        given, self._given = self._given, []
        return given


def _outcome(stage: Stage, reply: Reply, mail: Mail) -> Outcome:
    text = reply.text.decode("ascii", "replace")
    return outcome_of_reply(stage, reply.code, text, recipient=mail.envelope.recipient)


def _delivered(reply: Reply) -> Outcome:
    return Outcome(OutcomeKind.DELIVERED, Stage.DATA, reply.code)
