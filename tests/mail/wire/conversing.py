"""A conversation without a socket: mails are handed in one after another, the server's replies are written down."""

from collections.abc import Iterable, Sequence

from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage
from newsletter.mail.wire.conversation import Conversation, Mail

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
OK, GO_ON = b"250 ok\r\n", b"354 go on\r\n"
ASKED = OK + OK + GO_ON
DELIVERED = Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)
IN_DOUBT = Outcome(OutcomeKind.IN_DOUBT, Stage.DATA)
CUT_SHORT = Outcome(OutcomeKind.DEFERRED, Stage.DATA)


def not_attempted(stage: Stage, code: int | None = None) -> Outcome:
    """Give the outcome of a mail of which nothing had left."""
    return Outcome(OutcomeKind.NOT_ATTEMPTED, stage, code)


def mail_to(recipient: str, content: bytes = b"Subject: spring\r\n\r\nHello\r\n") -> Mail:
    """Give a mail to `recipient`."""
    return Mail(Envelope("news@example.org", recipient), content)


class Sending:
    """Hands in mails to `recipients` whenever one is wanted, and keeps what was written and every verdict."""

    def __init__(self, recipients: Iterable[str], *, pipelining: bool = True, stop_before_dot: bool = False) -> None:
        self.conversation = Conversation(pipelining=pipelining)
        self.written: list[bytes] = []
        self.verdicts: list[tuple[str, Outcome]] = []
        self._mails = [mail_to(recipient) for recipient in recipients]
        self._stop_before_dot = stop_before_dot
        self.go_on()

    def go_on(self) -> None:
        """Write while it is our turn."""
        conversation = self.conversation
        while conversation.turn:
            following = self._mails.pop(0) if conversation.wants_mail and self._mails else None
            if following is None and conversation.idle:
                return
            group = conversation.write(following)
            if not (group.content and self._stop_before_dot):
                conversation.finish()
            self.written.append(group.content + group.commands)

    def hear(self, *groups: bytes, pieces: Sequence[int] = ()) -> None:
        """Let the server say these things, one a turn; with `pieces` cut into such sizes."""
        for group in groups:
            for piece in _cut(group, pieces):
                self._note(self.conversation.receive(piece))
            self.go_on()

    def lose(self) -> None:
        """End the connection."""
        self._note(self.conversation.lose())

    def fall_silent(self) -> None:
        """Let the time for the next reply run out."""
        self._note(self.conversation.fall_silent())

    def _note(self, verdicts: list[tuple[Mail, Outcome]]) -> None:
        self.verdicts += [(mail.envelope.recipient, outcome) for mail, outcome in verdicts]


def _cut(data: bytes, sizes: Sequence[int]) -> Iterable[bytes]:
    for size in sizes:
        if not data:
            return
        yield data[:size]
        data = data[size:]
    yield data
