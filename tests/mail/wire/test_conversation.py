"""A server that behaves: what is written, and what each of its replies means for each mail (RFC 5321, RFC 2920)."""

import pytest

from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage
from newsletter.mail.wire.conversation import Conversation, OutOfTurn
from newsletter.mail.wire.exchange import on_the_wire, unsendable
from tests.mail.wire.conversing import ALICE, ASKED, BOB, CAROL, DELIVERED, GO_ON, OK, Sending, mail_to, not_attempted

ENVELOPES = {
    who: f"MAIL FROM:<news@example.org>\r\nRCPT TO:<{who}>\r\nDATA\r\n".encode() for who in (ALICE, BOB, CAROL)
}
CONTENT = b"Subject: spring\r\n\r\nHello\r\n.\r\n"
FULL = Outcome(OutcomeKind.DEFERRED, Stage.RCPT, 552, "5.2.2")
DEAD = Outcome(OutcomeKind.REFUSED, Stage.RCPT, 550, "5.1.1")


def test_the_content_of_one_mail_and_the_envelope_of_the_next_go_together() -> None:
    sending = Sending([ALICE, BOB])
    sending.hear(ASKED, OK + ASKED, OK + OK)
    assert sending.written == [ENVELOPES[ALICE], CONTENT + ENVELOPES[BOB], CONTENT + b"RSET\r\n"]
    assert sending.verdicts == [(ALICE, DELIVERED), (BOB, DELIVERED)]
    assert sending.conversation.idle


def test_without_pipelining_each_command_waits_for_its_reply() -> None:
    sending = Sending([ALICE, BOB], pipelining=False)
    sending.hear(OK, OK, GO_ON, OK, OK, OK, b"550 5.1.1 nobody\r\n", OK)
    assert sending.written == [
        b"MAIL FROM:<news@example.org>\r\n", b"RCPT TO:<alice@example.com>\r\n", b"DATA\r\n", CONTENT, b"RSET\r\n",
        b"MAIL FROM:<news@example.org>\r\n", b"RCPT TO:<bob@example.com>\r\n", b"RSET\r\n",
    ]  # fmt: skip
    assert sending.verdicts == [(ALICE, DELIVERED), (BOB, DEAD)]


@pytest.mark.parametrize(
    ("replies", "outcome", "after"),
    [
        (b"451 4.3.0 no\r\n503 no\r\n503 no\r\n", Outcome(OutcomeKind.DEFERRED, Stage.MAIL, 451, "4.3.0"), b""),
        (b"553 5.1.8 no\r\n503 no\r\n503 no\r\n", Outcome(OutcomeKind.REFUSED, Stage.MAIL, 553, "5.1.8"), b""),
        (OK + b"450 4.2.0 grey\r\n554 no\r\n", Outcome(OutcomeKind.DEFERRED, Stage.RCPT, 450, "4.2.0"), b""),
        (OK + b"552 5.2.2 full\r\n503 no\r\n", FULL, b""),
        (OK + b"550 5.1.1 nobody\r\n554 no\r\n", DEAD, b""),
        (OK + b"550 5.1.1 nobody\r\n" + GO_ON, DEAD, b".\r\n"),
        (OK + OK + b"554 5.7.1 no\r\n", Outcome(OutcomeKind.REFUSED, Stage.DATA, 554, "5.7.1"), b""),
        (OK + OK + b"451 no\r\n", Outcome(OutcomeKind.DEFERRED, Stage.DATA, 451), b""),
    ],
)
def test_a_refusal_before_the_content_concerns_its_recipient_alone(
    replies: bytes, outcome: Outcome, after: bytes
) -> None:
    """An invitation after a refused recipient gets an empty message, and its reply says nothing (RFC 2920 §3.1)."""
    sending = Sending([ALICE, BOB])
    sending.hear(replies)
    assert sending.written[1] == after + b"RSET\r\n" + ENVELOPES[BOB]
    sending.hear((b"554 nobody to send it to\r\n" if after else b"") + OK + ASKED, OK + OK)
    assert sending.verdicts == [(ALICE, outcome), (BOB, DELIVERED)]


@pytest.mark.parametrize(("reply", "kind"), [("451 4.3.1", "deferred"), ("552 5.3.4", "refused"), ("554", "refused")])
def test_a_refused_content_concerns_its_recipient_alone(reply: str, kind: str) -> None:
    sending = Sending([ALICE, BOB])
    sending.hear(ASKED, reply.encode() + b" no\r\n" + ASKED, OK + OK)
    code, _, enhanced = reply.partition(" ")
    refused = Outcome(OutcomeKind(kind), Stage.DATA, int(code), enhanced or None)
    assert sending.verdicts == [(ALICE, refused), (BOB, DELIVERED)]


BYE = b"421 4.3.2 closing\r\n"


@pytest.mark.parametrize(
    ("said", "alice", "bob"),
    [
        ([BYE], not_attempted(Stage.MAIL, 421), None),
        ([OK + BYE], not_attempted(Stage.RCPT, 421), None),
        ([OK + OK + BYE], not_attempted(Stage.DATA, 421), None),
        ([OK + b"550 5.1.1 no\r\n" + BYE], DEAD, None),
        ([ASKED, BYE], Outcome(OutcomeKind.DEFERRED, Stage.DATA, 421, "4.3.2"), not_attempted(Stage.MAIL, 421)),
        ([ASKED, OK + BYE], DELIVERED, not_attempted(Stage.MAIL, 421)),
        ([ASKED, OK + OK + OK + BYE], DELIVERED, not_attempted(Stage.DATA, 421)),
        ([ASKED + BYE], not_attempted(Stage.DATA, 421), None),
    ],
)
def test_421_ends_the_connection_and_fails_nobody(said: list[bytes], alice: Outcome, bob: Outcome | None) -> None:
    sending = Sending([ALICE, BOB])
    sending.hear(*said)
    assert sending.conversation.over
    assert not sending.conversation.distrusted
    assert sending.verdicts == [(ALICE, alice)] + ([(BOB, bob)] if bob else [])


def test_a_server_may_take_leave_between_two_mails() -> None:
    sending = Sending([ALICE])
    sending.hear(ASKED, OK + OK, BYE)
    assert sending.conversation.over
    assert sending.verdicts == [(ALICE, DELIVERED)]


def test_out_of_turn_nothing_can_be_written_and_nothing_changes() -> None:
    conversation = Conversation(pipelining=False)
    conversation.write(mail_to(ALICE))
    for following in (None, mail_to(BOB)):
        with pytest.raises(OutOfTurn):
            conversation.write(following)
    conversation.receive(OK)
    with pytest.raises(OutOfTurn):
        conversation.write(mail_to(BOB))
    assert conversation.write(None).commands == b"RCPT TO:<alice@example.com>\r\n"


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"a\r\n", b"a\r\n"),
        (b"a", b"a\r\n"),
        (b"", b"\r\n"),
        (b".\r\n", b"..\r\n"),
        (b"a\r\n.\r\n..b\r\nc.\r\n", b"a\r\n..\r\n...b\r\nc.\r\n"),
        (b"a\n.\nb\r\n", b"a\n..\nb\r\n"),
    ],
)
def test_no_content_ends_before_its_end(content: bytes, wire: bytes) -> None:
    assert on_the_wire(content) == wire


@pytest.mark.parametrize("address", ["a@example.com>\r\nDATA", "a b@example.com", "a>b@example.com", "\ud800@x", ""])
def test_an_address_can_not_break_out_of_its_command(address: str) -> None:
    assert unsendable(Envelope("", address), smtputf8=True) == Outcome(OutcomeKind.REFUSED, Stage.WRITE)


def test_an_international_address_needs_a_server_that_takes_it() -> None:
    """RULES F10."""
    envelope = Envelope("news@example.org", "åse@example.com")
    assert unsendable(envelope, smtputf8=False) == Outcome(OutcomeKind.REFUSED, Stage.RCPT, None, "5.6.7")
    assert unsendable(envelope, smtputf8=True) is None
    group = Conversation(pipelining=True).write(mail_to("åse@example.com"))
    assert group.commands.decode().startswith("MAIL FROM:<news@example.org> SMTPUTF8\r\nRCPT TO:<åse@example.com>\r\n")
