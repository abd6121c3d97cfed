"""Addresses in other letters: a domain is written in ASCII for the wire, a local part needs SMTPUTF8 (RULES F10)."""

import pytest

from newsletter.addresses import read_address
from newsletter.mail.outcome import Envelope, Outcome, OutcomeKind, Stage
from newsletter.mail.wire.exchange import on_the_envelope
from newsletter.mail.wire.relays import read_relay
from newsletter.mail.wire.smtp import Connection
from tests.support.peer import SmtpPeer

MAIL = b"Subject: Hei\r\n\r\nHei\r\n"
NEWS = "news@example.org"
WITHOUT = ("PIPELINING", "8BITMIME")


async def attempt(peer: SmtpPeer, typed: str, sender: str = NEWS) -> Outcome:
    """Write to an address as a person typed it."""
    connection = Connection(read_relay(peer.url), "news.example.org")
    try:
        return await connection.send(Envelope(sender, read_address(typed).email), MAIL)
    finally:
        await connection.close()


@pytest.mark.parametrize("typed", ["kari@bøker.example.com", "kari@BØKER.example.com", "kari@xn--bker-gra.example.com"])
async def test_a_domain_in_norwegian_letters_needs_nothing_of_the_relay(typed: str) -> None:
    with SmtpPeer(extensions=WITHOUT) as plain:
        assert (await attempt(plain, typed)).kind is OutcomeKind.DELIVERED
    assert plain.mails[0].recipients == ("kari@xn--bker-gra.example.com",)
    assert not any("SMTPUTF8" in command for command in plain.commands)


async def test_a_sender_in_such_a_domain(peer: SmtpPeer) -> None:
    assert (await attempt(peer, "kari@example.com", "news@bøker.example.com")).kind is OutcomeKind.DELIVERED
    assert peer.mails[0].sender == "news@xn--bker-gra.example.com"
    assert "MAIL FROM:<news@xn--bker-gra.example.com>" in peer.commands


async def test_letters_before_the_at_are_kept_where_the_relay_can(peer: SmtpPeer) -> None:
    assert (await attempt(peer, "kåre@bøker.example.com")).kind is OutcomeKind.DELIVERED
    assert peer.mails[0].recipients == ("kåre@xn--bker-gra.example.com",)
    assert f"MAIL FROM:<{NEWS}> SMTPUTF8" in peer.commands


async def test_where_the_relay_cannot_it_is_unsendable_and_nobody_is_asked() -> None:
    with SmtpPeer(extensions=WITHOUT) as plain:
        outcome = await attempt(plain, "kåre@bøker.example.com")
    assert outcome == Outcome(OutcomeKind.REFUSED, Stage.RCPT, None, "5.6.7")
    assert not any(command.startswith(("MAIL", "RCPT")) for command in plain.commands)


@pytest.mark.parametrize("address", ["", "kari", "kari@example.com", "kåre@example.com", "kari@-ø-.\u200b"])
def test_what_has_no_domain_to_translate_stays_as_it_is(address: str) -> None:
    assert on_the_envelope(address) == address
