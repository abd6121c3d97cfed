"""The peer that other tests rely on keeps the wire's bytes and answers as it is told."""

import smtplib

import pytest

from tests.support.peer import SmtpPeer

MAIL = (
    b"From: news@example.org\r\nTo: kari@example.com\r\nSubject: =?utf-8?q?H=C3=B8st?=\r\n"
    b"List-Unsubscribe: <mailto:u@example.org>,\r\n <https://news.example.org/unsubscribe/abc>\r\n\r\n"
    b"..two dots\r\n.\r\nhttps://news.example.org/confirm/abc.\r\n"
)


def send(peer: SmtpPeer, *recipients: str) -> dict[str, tuple[int, bytes]]:
    with smtplib.SMTP("127.0.0.1", peer.port, local_hostname="tests.example.com", timeout=10) as client:
        return client.sendmail("news@example.org", recipients, MAIL)


def test_a_mail_is_kept_as_it_was_on_the_wire(peer: SmtpPeer) -> None:
    send(peer, "kari@example.com")
    (mail,) = peer.mails
    assert mail.content == MAIL
    assert (mail.sender, mail.recipients) == ("news@example.org", ("kari@example.com",))
    assert mail.subject == "Høst"
    assert mail.link("confirm") == "https://news.example.org/confirm/abc"
    assert mail.one_click == "https://news.example.org/unsubscribe/abc"
    assert mail.raw_headers("list-unsubscribe") == [
        b" <mailto:u@example.org>,\r\n <https://news.example.org/unsubscribe/abc>"
    ]


def test_it_refuses_one_and_accepts_the_other(peer: SmtpPeer) -> None:
    peer.refuse("dead@example.com")
    refused = send(peer, "dead@example.com", "kari@example.com")
    assert refused == {"dead@example.com": (550, b"5.1.1 no such user")}
    assert peer.counted() == {"kari@example.com": 1}


def test_it_defers_as_often_as_it_is_told(peer: SmtpPeer) -> None:
    peer.defer("kari@example.com", times=1)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(peer, "kari@example.com")
    send(peer, "kari@example.com")
    assert peer.counted() == {"kari@example.com": 1}


def test_it_hangs_up_after_it_has_taken_a_mail(peer: SmtpPeer) -> None:
    peer.hang_up("kari@example.com")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(peer, "kari@example.com")
    assert peer.counted() == {"kari@example.com": 1}


def test_each_connection_is_counted(peer: SmtpPeer) -> None:
    send(peer, "kari@example.com")
    send(peer, "ola@example.com")
    assert peer.connections == 2
    assert [mail.connection for mail in peer.mails] == [1, 2]
