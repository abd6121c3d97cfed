"""A mail is built once; what a reader's program parses back is what was written."""

import email
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.message import InvalidHeader, Mailbox, Message

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KARI = Mailbox("kari@example.com", "Kari Nordmann")
NEWS = Mailbox("news@example.org", "Example News")

awkward = st.sampled_from(
    [
        "æøå",
        "🎉👩‍👩‍👧",
        ".",
        "..",
        ".\n",
        "\n.",
        "From ",
        "\nFrom me",
        "\r\n",
        "\r",
        "\n",
        " \n",
        "\t\n",
        "=",
        "=_",
        "--=_alternative",
        "x" * 998,
        "." * 200,
        "å" * 400,
        " ",
        "\x00",
        "\x0c",
        "\u2028",
        "a b c d e f g h " * 12,
    ]
)
bodies = st.lists(awkward | st.text(st.characters(exclude_categories=["Cs"]), max_size=100), max_size=12).map("".join)
one_line = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
titles = st.lists(
    st.sampled_from(["æøå ", "🎉", "=?utf-8?q?x?=", "x" * 998, "  ", '"', "\\", "a word ", ", ", "<a@example.com>"])
    | st.text(one_line, max_size=60),
    max_size=6,
).map("".join)


def a_message(**changes: object) -> Message:
    values = {
        "sender": NEWS,
        "recipient": KARI,
        "subject": "Hello",
        "text": "Hello, you.\n",
        "html": "<p>Hello, you.</p>",
        "date": NOON,
        "message_id": "1@example.org",
    }
    return Message(**(values | changes))  # type: ignore[arg-type]  # values of several types


def parsed(message: Message) -> EmailMessage:
    read = email.message_from_bytes(message.to_bytes(), policy=default)
    assert isinstance(read, EmailMessage)
    return read


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    payload = found.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def unix(content: str) -> str:
    return content.replace("\r\n", "\n").replace("\r", "\n")


def test_a_mail_reads_word_for_word() -> None:
    assert a_message(headers=(("List-Post", "NO"),)).to_bytes() == (
        b"From: Example News <news@example.org>\r\n"
        b"To: Kari Nordmann <kari@example.com>\r\n"
        b"Subject: Hello\r\n"
        b"Date: Mon, 02 Mar 2026 12:00:00 +0000\r\n"
        b"Message-ID: <1@example.org>\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: multipart/alternative; boundary="=_alternative"\r\n'
        b"List-Post: NO\r\n"
        b"\r\n"
        b"--=_alternative\r\n"
        b'Content-Type: text/plain; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"\r\n"
        b"Hello, you.\r\n"
        b"\r\n"
        b"--=_alternative\r\n"
        b'Content-Type: text/html; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"\r\n"
        b"<p>Hello, you.</p>\r\n"
        b"--=_alternative--\r\n"
    )


def test_the_text_comes_first_and_nothing_is_amiss() -> None:
    read = parsed(a_message())
    assert [each.get_content_type() for each in read.iter_parts()] == ["text/plain", "text/html"]
    assert [each.defects for each in read.walk()] == [[], [], []]


@given(text=bodies, html=bodies)
def test_any_content_comes_back_as_written(text: str, html: str) -> None:
    read = parsed(a_message(text=text, html=html))
    assert unix(part(read, "plain")) == unix(text)
    assert unix(part(read, "html")) == unix(html)


@given(text=bodies, html=bodies, subject=titles)
def test_no_line_is_long_bare_or_open_to_rewriting(text: str, html: str, subject: str) -> None:
    octets = a_message(text=text, html=html, subject=subject).to_bytes()
    assert octets.isascii()
    lines = octets.split(b"\r\n")
    assert lines[-1] == b""
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert max(map(len, lines)) <= 78
    body = lines[lines.index(b"") :]
    assert max(map(len, body)) <= 76


@pytest.mark.parametrize("filler", ["x", "å", ".", "x.", "=", " "])
@pytest.mark.parametrize("end", ["", " ", ".", "\t", "=", " \n.", "\nFrom "])
def test_no_length_of_line_is_an_exception(filler: str, end: str) -> None:
    for length in range(60, 90):
        message = a_message(text=(filler * length)[:length] + end, html="From " + filler * length)
        lines = message.to_bytes().split(b"\r\n\r\n", 1)[1].split(b"\r\n")
        assert max(map(len, lines)) <= 76
        assert not any(line.startswith((b".", b"From ")) for line in lines)
        assert part(parsed(message), "plain").replace("\r\n", "\n") == message.text


def test_a_lone_surrogate_does_not_hold_up_the_mail() -> None:
    assert part(parsed(a_message(text="a\ud800b")), "plain") == "a?b"


@given(subject=titles)
def test_any_subject_comes_back_as_written(subject: str) -> None:
    read = parsed(a_message(subject=subject))
    assert read.get_all("Subject") == [subject]


@given(name=titles)
def test_any_display_name_comes_back_as_written_and_adds_no_address(name: str) -> None:
    raw = email.message_from_bytes(a_message(recipient=Mailbox("kari@example.com", name)).to_bytes())["To"]
    ((shown, address),) = getaddresses([raw])
    # The newer policy of Python 3.11 leaves spaces between the encoded words of a name; mail readers do not.
    assert (str(make_header(decode_header(shown))), address) == (name.strip(), "kari@example.com")


@given(
    before=st.text(one_line, max_size=5),
    evil=st.sampled_from(["\r", "\n", "\r\n", "\r\n ", "\0", "\x0b", "\x1c", "\x7f", "\x85", "\u2028", "\u2029"]),
    after=st.sampled_from(["", "Bcc: all@example.com", "\r\n\r\n<p>"]),
    where=st.sampled_from(["subject", "name", "address", "id", "field", "value"]),
)
def test_a_value_never_becomes_a_second_header(before: str, evil: str, after: str, where: str) -> None:
    value = before + evil + after
    changes: dict[str, dict[str, object]] = {
        "subject": {"subject": value},
        "name": {"recipient": Mailbox("kari@example.com", value)},
        "address": {"sender": Mailbox(value + "@example.com")},
        "id": {"message_id": value + "@example.com"},
        "field": {"headers": ((value, "x"),)},
        "value": {"headers": (("X-Note", value),)},
    }
    with pytest.raises(InvalidHeader):
        a_message(**changes[where]).to_bytes()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "kari",
        "kari@",
        "@example.com",
        "a@example.com, b@example.com",
        "a@b@example.com",
        "a b@example.com",
        "<a@example.com>",
        "a@exa mple.com",
        "a@example.com>",
        "a@xn--é.com",
        "a@-.example",
        '"a"@example.com',
    ],
)
def test_what_is_not_one_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidHeader):
        a_message(recipient=Mailbox(address)).to_bytes()


def test_a_domain_is_written_in_ascii_and_a_local_part_is_left_alone() -> None:
    assert b"\r\nTo: kari@xn--blbr-roah.example\r\n" in a_message(recipient=Mailbox("kari@blåbær.example")).to_bytes()
    assert "\r\nTo: kåre@example.com\r\n".encode() in a_message(recipient=Mailbox("kåre@example.com")).to_bytes()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("", "To: kari@example.com"),
        ("Kari", "To: Kari <kari@example.com>"),
        ("Nordmann, Kari", 'To: "Nordmann, Kari" <kari@example.com>'),
        ('Kari "K" \\', r'To: "Kari \"K\" \\" <kari@example.com>'),
    ],
)
def test_a_plain_name_is_written_plainly(name: str, written: str) -> None:
    assert f"\r\n{written}\r\n".encode() in a_message(recipient=Mailbox("kari@example.com", name)).to_bytes()


def test_a_long_plain_subject_is_folded_between_words_and_not_encoded() -> None:
    octets = a_message(subject="every word of a long subject " * 6 + "ends").to_bytes()
    assert b"=?" not in octets
    assert re.search(rb"Subject: every [^\r]{50,68}\r\n [a-z]", octets)


def test_each_mandatory_header_stands_once() -> None:
    read = parsed(a_message())
    for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"):
        assert len(read.get_all(name) or ()) == 1


@pytest.mark.parametrize("name", ["from", "To", "BCC", "Content-Type", "Content-Language", "X-A", "Bad name", "Bad:"])
def test_a_further_header_that_repeats_or_forges_another_is_refused(name: str) -> None:
    with pytest.raises(InvalidHeader):
        a_message(headers=(("X-a", "1"), (name, "2"))).to_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"headers": (("X-A", "å"),)},
        {"headers": (("X-A", "x" * 999),)},
        {"date": NOON.replace(tzinfo=None)},
        {"message_id": "<1@example.org>"},
        {"message_id": "nohost"},
        {"recipient": Mailbox("a" * 999 + "@example.com")},
    ],
)
def test_what_a_server_would_not_take_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidHeader):
        a_message(**change).to_bytes()
