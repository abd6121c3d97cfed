"""A server whose replies do not answer what they seem to: nobody is told delivered, deferred or refused on its word."""

import pytest

from newsletter.mail.outcome import Outcome, OutcomeKind, Stage
from newsletter.mail.wire.replies import LONGEST_REPLY
from tests.mail.wire.conversing import (
    ALICE,
    ASKED,
    BOB,
    CUT_SHORT,
    DELIVERED,
    GO_ON,
    IN_DOUBT,
    OK,
    Sending,
    not_attempted,
)

NO, LOST = b"550 5.1.1 no\r\n", b"503 bad sequence\r\n"
DEAD = Outcome(OutcomeKind.REFUSED, Stage.RCPT, 550, "5.1.1")


@pytest.mark.parametrize(
    "replies",
    [
        GO_ON,
        b"220 hello\r\n",
        b"221 goodbye\r\n",
        b"334 \r\n",
        OK + GO_ON,
        OK + OK + OK,
        OK + OK + b"250-one\r\n250 two\r\n",
        NO + OK,
        NO + NO + GO_ON,
        OK + NO + OK,
        OK + LOST,
        OK + OK + LOST,
        LOST,
        b"250-one\r\n251 two\r\n",
        b"hello\r\n",
        b"\r\n",
        b"25\r\n",
        b"250ok\r\n",
        b"150 wait\r\n",
        b"999 no\r\n",
        b"250-" + b"x" * LONGEST_REPLY,
        b"250-ten\r\n" * LONGEST_REPLY,
        ASKED + OK,
        ASKED + GO_ON,
    ],
)
def test_before_the_content_nothing_was_attempted(replies: bytes) -> None:
    sending = Sending([ALICE, BOB])
    sending.hear(replies)
    assert sending.conversation.over
    assert [(who, outcome.kind) for who, outcome in sending.verdicts] == [(ALICE, OutcomeKind.NOT_ATTEMPTED)]


@pytest.mark.parametrize(
    "replies",
    [
        GO_ON,
        b"220 hello\r\n",
        b"221 goodbye\r\n",
        b"nonsense\r\n",
        OK + NO + OK,
        OK + OK + OK + OK,
        OK + GO_ON,
        b"250 stray\r\n" + b"451 not taken\r\n" + OK,
        b"451 stray\r\n" + OK + ASKED,
        b"250-" + b"x" * LONGEST_REPLY,
    ],
)
def test_after_the_content_it_is_in_doubt(replies: bytes) -> None:
    """A stray line before the reply to the final dot would else make a refused mail delivered, or send one twice."""
    sending = Sending([ALICE, BOB])
    sending.hear(ASKED, replies)
    assert sending.conversation.over
    assert [(who, outcome.kind) for who, outcome in sending.verdicts] == [
        (ALICE, OutcomeKind.IN_DOUBT),
        (BOB, OutcomeKind.NOT_ATTEMPTED),
    ]


def test_a_stray_line_does_not_turn_a_refusal_to_another_stage() -> None:
    """It looks like a refused DATA, until RSET gets the answer that DATA should have had."""
    sending = Sending([ALICE, BOB])
    sending.hear(b"250 stray\r\n" + OK + NO, b"554 no valid recipients\r\n")
    assert sending.verdicts == [(ALICE, not_attempted(Stage.DATA)), (BOB, not_attempted(Stage.MAIL))]
    assert sending.conversation.distrusted


def test_a_line_that_has_begun_is_not_written_over() -> None:
    sending = Sending([ALICE])
    sending.hear(ASKED + b"2")
    assert len(sending.written) == 1
    sending.hear(b"50 stray\r\n")
    assert sending.verdicts == [(ALICE, not_attempted(Stage.DATA))]


def test_a_reply_without_end_spoils_nothing_before_it() -> None:
    sending = Sending([ALICE, BOB])
    sending.hear(ASKED, OK + b"250-" + b"x" * LONGEST_REPLY)
    assert sending.verdicts == [(ALICE, DELIVERED), (BOB, not_attempted(Stage.MAIL))]
    assert not sending.conversation.distrusted


def test_a_server_that_loses_a_command_of_a_group_gets_lockstep() -> None:
    sending = Sending([ALICE])
    sending.hear(OK + LOST + LOST)
    assert sending.conversation.distrusted
    alone = Sending([ALICE], pipelining=False)
    alone.hear(OK, LOST, OK)
    assert alone.verdicts == [(ALICE, Outcome(OutcomeKind.REFUSED, Stage.RCPT, 503))]
    assert not alone.conversation.distrusted


@pytest.mark.parametrize("replies", [b"", OK, OK + NO, OK + OK, LOST[:10]])
def test_a_group_that_stays_half_answered_proves_nothing(replies: bytes) -> None:
    sending = Sending([ALICE])
    sending.hear(replies)
    sending.fall_silent()
    assert [(who, outcome.kind) for who, outcome in sending.verdicts] == [(ALICE, OutcomeKind.NOT_ATTEMPTED)]
    assert sending.conversation.distrusted


def test_silence_after_the_final_dot_is_in_doubt_and_no_fault_of_groups() -> None:
    """RULES F9."""
    sending = Sending([ALICE, BOB])
    sending.hear(ASKED)
    sending.fall_silent()
    assert sending.verdicts == [(ALICE, IN_DOUBT), (BOB, not_attempted(Stage.MAIL))]
    assert not sending.conversation.distrusted


def test_silence_after_a_mail_was_taken_leaves_it_delivered() -> None:
    sending = Sending([ALICE, BOB])
    sending.hear(ASKED, OK)
    assert sending.verdicts == []
    sending.fall_silent()
    assert sending.verdicts == [(ALICE, DELIVERED), (BOB, not_attempted(Stage.MAIL))]
    assert sending.conversation.distrusted


def test_a_refusal_is_believed_when_the_server_hangs_up_on_it() -> None:
    sending = Sending([ALICE])
    sending.hear(OK + NO)
    sending.lose()
    assert sending.verdicts == [(ALICE, DEAD)]


def test_a_content_without_its_dot_was_not_taken() -> None:
    sending = Sending([ALICE, BOB], stop_before_dot=True)
    sending.hear(ASKED)
    sending.lose()
    assert sending.verdicts == [(ALICE, CUT_SHORT), (BOB, not_attempted(Stage.MAIL))]


@pytest.mark.parametrize(
    ("reply", "alice"),
    [
        (b"552 5.3.4 too big\r\n", Outcome(OutcomeKind.REFUSED, Stage.DATA, 552, "5.3.4")),
        (b"421 4.4.2 too slow\r\n", Outcome(OutcomeKind.DEFERRED, Stage.DATA, 421, "4.4.2")),
        (OK, CUT_SHORT),
        (GO_ON, CUT_SHORT),
    ],
)
def test_a_server_may_interrupt_a_content_but_not_take_it_unfinished(reply: bytes, alice: Outcome) -> None:
    sending = Sending([ALICE, BOB], stop_before_dot=True)
    sending.hear(ASKED, reply)
    assert sending.conversation.over
    assert [outcome for who, outcome in sending.verdicts if who == ALICE] == [alice]
    assert sending.verdicts[1][1].kind is OutcomeKind.NOT_ATTEMPTED
