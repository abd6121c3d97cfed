"""The headers by which a mail service shows the button that ends a subscription."""

import email
from datetime import UTC, datetime
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.message import InvalidHeader, Mailbox, Message, list_headers

TOKEN = "k7" * 40
PLAIN = {
    "unsubscribe_url": f"https://news.example.com/unsubscribe/{TOKEN}",
    "unsubscribe_mailto": f"mailto:unsubscribe+{TOKEN}@bounce.example.com?subject=unsubscribe",
    "list_id": "monthly.news.example.com", "list_name": "Monthly news",
    "help_url": "https://news.example.com/monthly", "feedback_id": "42:monthly:issue:example",
}  # fmt: skip


def mail_with(**changes: str | None) -> bytes:
    return Message(
        Mailbox("news@example.com"), Mailbox("kari@example.com"), "Hello", "Hello", "<p>Hello</p>",
        datetime(2026, 3, 2, tzinfo=UTC), "1@example.com", list_headers(**(PLAIN | changes)),  # type: ignore[arg-type]  # values of several types
    ).to_bytes()  # fmt: skip


def test_the_way_out_is_one_header_folded_between_its_two_targets() -> None:
    octets = mail_with()
    assert (
        f"\r\nList-Unsubscribe: <{PLAIN['unsubscribe_url']}>,\r\n <{PLAIN['unsubscribe_mailto']}>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    ).encode() in octets
    assert octets.count(b"List-Unsubscribe:") == 1
    assert b"=?" not in octets


def test_without_a_bounce_domain_only_the_web_target_stands() -> None:
    octets = mail_with(unsubscribe_mailto=None)
    assert f"\r\nList-Unsubscribe: <{PLAIN['unsubscribe_url']}>\r\nList-".encode() in octets
    assert b"mailto" not in octets


def test_a_very_long_token_is_never_encoded() -> None:
    url = "https://news.example.com/unsubscribe/" + "k" * 800
    assert f"\r\nList-Unsubscribe: <{url}>,\r\n <mailto:".encode() in mail_with(unsubscribe_url=url)


def test_the_rest_tells_who_sends_and_that_nobody_may_post() -> None:
    assert (
        b'\r\nList-Id: "Monthly news" <monthly.news.example.com>\r\nList-Post: NO\r\n'
        b"List-Help: <https://news.example.com/monthly>\r\nFeedback-ID: 42:monthly:issue:example\r\n"
    ) in mail_with()


@given(name=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=80))
def test_any_name_of_a_newsletter_can_be_written(name: str) -> None:
    octets = mail_with(list_name="å" + name)
    assert octets.isascii()
    read = email.message_from_bytes(octets, policy=default)
    assert str(read["List-Id"]) == f"å{name.rstrip()} <monthly.news.example.com>"


@pytest.mark.parametrize(
    "change",
    [{"unsubscribe_url": "ftp://example.com/x"}, {"unsubscribe_url": "https://example.com/ x"},
     {"unsubscribe_url": "https://example.com/>,<x"}, {"unsubscribe_url": "https://example.com/\r\nBcc: x"},
     {"unsubscribe_url": "https://bl\u00e5.example/"}, {"unsubscribe_mailto": "x@example.com"},
     {"list_id": "no dots <x>"}, {"list_id": ""}, {"list_name": "a\nb"}, {"help_url": "javascript:x"},
     {"feedback_id": "a\r\nb"}],
)  # fmt: skip
def test_anything_that_could_break_out_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(InvalidHeader):
        list_headers(**(PLAIN | change))
