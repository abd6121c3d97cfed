"""A conversation with the relay becomes an outcome; the stage tells what a broken one means (RULES F9, F10)."""

import asyncio

import pytest

from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage, outcome_of_reply
from newsletter.mail.wire.relays import read_relay
from newsletter.mail.wire.smtp import Connection, Connections
from tests.support.peer import SmtpPeer
from tests.support.waiting import eventually_async

KARI = Envelope("news@example.org", "kari@example.com")
MAIL = b"Subject: Hi\r\n\r\n.a line that begins with a dot\r\n"


async def attempt(peer: SmtpPeer, envelope: Envelope = KARI) -> Outcome:
    connection = Connection(read_relay(peer.url), "news.example.org")
    try:
        return await connection.send(envelope, MAIL)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("stage", "code", "text", "kind", "enhanced"),
    [
        (Stage.RCPT, 550, "5.1.1 no such user", OutcomeKind.REFUSED, "5.1.1"),
        (Stage.RCPT, 550, "5.1.10 null MX", OutcomeKind.REFUSED, "5.1.10"),
        (Stage.RCPT, 451, "4.7.1 greylisted", OutcomeKind.DEFERRED, "4.7.1"),
        (Stage.RCPT, 452, "4.2.2 full", OutcomeKind.DEFERRED, "4.2.2"),
        (Stage.RCPT, 552, "5.2.2 full", OutcomeKind.DEFERRED, "5.2.2"),
        (Stage.DATA, 552, "5.3.4 too large", OutcomeKind.REFUSED, "5.3.4"),
        (Stage.DATA, 554, "5.6.0 content", OutcomeKind.REFUSED, "5.6.0"),
        (Stage.MAIL, 553, "5.1.8 sender unknown", OutcomeKind.REFUSED, "5.1.8"),
        (Stage.RCPT, 550, "no code at all", OutcomeKind.REFUSED, None),
        (Stage.RCPT, 550, "user 5.1.1 unknown", OutcomeKind.REFUSED, None),
        (Stage.RCPT, 550, "4.1.1 of another class", OutcomeKind.REFUSED, None),
        (Stage.RCPT, 550, "5.1.1.10 is on our list", OutcomeKind.REFUSED, None),
        (Stage.RCPT, 550, "5.1.1", OutcomeKind.REFUSED, "5.1.1"),
        (Stage.RCPT, 550, "5.1.1: gone", OutcomeKind.REFUSED, "5.1.1"),
        (Stage.RCPT, 550, "5.1.1000 nonsense", OutcomeKind.REFUSED, None),
    ],
)
def test_a_reply_becomes_an_outcome(
    stage: Stage, code: int, text: str, kind: OutcomeKind, enhanced: str | None
) -> None:
    assert outcome_of_reply(stage, code, text) == Outcome(kind, stage, code, enhanced)


async def test_a_mail_that_is_taken_arrives_byte_for_byte(peer: SmtpPeer) -> None:
    assert await attempt(peer) == Outcome(OutcomeKind.DELIVERED, Stage.DATA, 250)
    assert peer.mails[0].content == MAIL


async def test_a_reply_of_many_lines_is_read_by_its_first(peer: SmtpPeer) -> None:
    peer.refuse(reply="550-5.1.1 The mailbox\r\n550-5.1.1 you are looking for\r\n550 5.1.1 is not here")
    assert await attempt(peer) == Outcome(OutcomeKind.REFUSED, Stage.RCPT, 550, "5.1.1")


@pytest.mark.parametrize(
    ("stage", "kind", "told"),
    [
        ("CONNECT", OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT),
        ("EHLO", OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT),
        ("MAIL", OutcomeKind.NOT_ATTEMPTED, Stage.MAIL),
        ("RCPT", OutcomeKind.NOT_ATTEMPTED, Stage.RCPT),
        ("DATA", OutcomeKind.NOT_ATTEMPTED, Stage.DATA),
        ("END", OutcomeKind.IN_DOUBT, Stage.DATA),
    ],
)
async def test_a_broken_connection_means_what_its_stage_says(
    peer: SmtpPeer, stage: str, kind: OutcomeKind, told: Stage
) -> None:
    peer.hang_up(stage=stage, times=None)
    assert await attempt(peer) == Outcome(kind, told)


@pytest.mark.parametrize("stage", ["CONNECT", "MAIL", "RCPT"])
async def test_421_before_data_is_no_attempt(peer: SmtpPeer, stage: str) -> None:
    peer.refuse(reply="421 4.3.2 closing", stage=stage)
    assert (await attempt(peer)).kind is OutcomeKind.NOT_ATTEMPTED


async def test_421_after_the_last_dot_says_that_it_was_not_taken(peer: SmtpPeer) -> None:
    peer.refuse(reply="421 4.3.2 closing", stage="END")
    assert await attempt(peer) == Outcome(OutcomeKind.DEFERRED, Stage.DATA, 421, "4.3.2")


async def test_nobody_listening_is_no_attempt() -> None:
    connection = Connection(read_relay("smtp://127.0.0.1:1"), "news.example.org")
    assert await connection.send(KARI, MAIL) == Outcome(OutcomeKind.NOT_ATTEMPTED, Stage.CONNECT)


async def test_a_connection_that_the_relay_closed_meanwhile_is_opened_anew(peer: SmtpPeer) -> None:
    connection = Connection(read_relay(peer.url), "news.example.org")
    assert (await connection.send(KARI, MAIL)).kind is OutcomeKind.DELIVERED
    peer.refuse(reply="421 4.4.2 idle for too long", stage="MAIL")
    assert (await connection.send(KARI, MAIL)).kind is OutcomeKind.NOT_ATTEMPTED
    peer.accept()
    assert (await connection.send(KARI, MAIL)).kind is OutcomeKind.DELIVERED
    await connection.close()
    assert len(peer.mails) == 2


async def test_after_a_refusal_the_connection_goes_on(peer: SmtpPeer) -> None:
    connection = Connection(read_relay(peer.url), "news.example.org")
    peer.refuse("dead@example.com")
    refused = await connection.send(Envelope("news@example.org", "dead@example.com"), MAIL)
    assert (refused.kind, refused.enhanced) == (OutcomeKind.REFUSED, "5.1.1")
    assert (await connection.send(KARI, MAIL)).kind is OutcomeKind.DELIVERED
    await connection.close()
    assert peer.connections == 1


async def test_an_address_in_norwegian_letters_goes_where_the_relay_can(peer: SmtpPeer) -> None:
    envelope = Envelope("news@example.org", "kåre@example.com")
    assert (await attempt(peer, envelope)).kind is OutcomeKind.DELIVERED
    assert peer.mails[0].recipients == ("kåre@example.com",)


async def test_where_the_relay_cannot_it_is_unsendable_and_not_dead() -> None:
    """RULES F10."""
    with SmtpPeer(extensions=("8BITMIME",)) as plain:
        outcome = await attempt(plain, Envelope("news@example.org", "kåre@example.com"))
    assert outcome == Outcome(OutcomeKind.REFUSED, Stage.RCPT, None, "5.6.7")


async def test_what_is_cut_off_says_whether_anything_may_have_left(peer: SmtpPeer) -> None:
    begun: list[bool] = []
    peer.slow(60)
    connection = Connection(read_relay(peer.url), "news.example.org")
    sending = asyncio.create_task(connection.send(KARI, MAIL, lambda: begun.append(True)))
    await eventually_async(lambda: _said(begun))
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    connection.abandon()


async def _said(begun: list[bool]) -> bool:
    return bool(begun)


async def test_no_more_connections_than_allowed(peer: SmtpPeer) -> None:
    connections = Connections(read_relay(peer.url), 3, "news.example.org")
    outcomes = await asyncio.gather(*(connections.send(KARI, MAIL) for _ in range(12)))
    await connections.close()
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.DELIVERED}
    assert peer.connections == 3


async def test_a_relay_without_the_starttls_that_was_asked_for_gets_nothing(peer: SmtpPeer) -> None:
    connection = Connection(read_relay(peer.url.replace("smtp:", "smtp+starttls:")), "news.example.org")
    assert (await connection.send(KARI, MAIL)).kind is OutcomeKind.NOT_ATTEMPTED
    assert not any(command.startswith("MAIL") for command in peer.commands)
