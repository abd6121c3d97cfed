"""No byte string ever raises: not noise, not a returned mail cut off, flipped, recoded or spliced."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.bounces.reading.mime import parse
from newsletter.bounces.reading.reading import explain, read
from newsletter.bounces.reading.verdicts import Verdict
from tests.bounces.reading.returned import CORPUS

_MODEST = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MAILS = st.sampled_from(CORPUS).map(Path.read_bytes)
CHARSETS = [
    "utf-16",
    "utf-7",
    "iso-2022-jp",
    "hex",
    "idna",
    "undefined",
    "punycode",
    "no-such",
    "\udcff",
    "unicode_escape",
]
LARGE = 256 * 1024
AWKWARD = [
    *("<", ">", "x@", "a.", "-", "&#", "\t", "\n ", "é", "http://", "<style>", "<a@b.c>: 550 5.1.1 x\n", "550-5.1.1 "),
    *(
        "Subject: ",
        "mailbox user is ",
        "could not be ",
        "below this line ",
        "=?utf-8?B?",
        "Diagnostic-Code: x; 5.1.1\n",
    ),
]


def _sensible(raw: bytes) -> None:
    readings = read(raw, "kari@example.org")
    assert readings
    assert all(reading.reason for reading in readings)
    assert explain(raw).verdict in Verdict


@_MODEST
@given(st.binary(max_size=2000))
def test_noise(raw: bytes) -> None:
    _sensible(raw)
    _sensible(b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n" + raw)


@_MODEST
@given(MAILS, st.data())
def test_a_mail_cut_off_anywhere(raw: bytes, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(begin, len(raw)))
    _sensible(raw[:end])
    _sensible(raw[begin:end])


@_MODEST
@given(MAILS, st.lists(st.tuples(st.integers(min_value=0), st.integers(0, 255)), min_size=1, max_size=40))
def test_a_mail_with_flipped_bytes(raw: bytes, flips: list[tuple[int, int]]) -> None:
    octets = bytearray(raw) or bytearray(1)
    for place, value in flips:
        octets[place % len(octets)] = value
    _sensible(bytes(octets))


@_MODEST
@given(MAILS, st.sampled_from(CHARSETS), st.sampled_from(["base64", "quoted-printable", "8bit", "x-uuencode"]))
def test_a_mail_that_claims_another_coding(raw: bytes, charset: str, encoding: str) -> None:
    claimed = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n"
    _sensible(claimed.encode("utf-8", "surrogateescape") + raw)
    _sensible(raw.replace(b"charset=utf-8", f"charset={charset}".encode("utf-8", "surrogateescape")))
    _sensible(raw.replace(b"Subject: ", f"Subject: =?{charset}?B?".encode("utf-8", "surrogateescape")))


@_MODEST
@given(MAILS, MAILS, st.data())
def test_two_mails_in_one(one: bytes, other: bytes, data: st.DataObject) -> None:
    _sensible(one[: data.draw(st.integers(0, len(one)))] + other[data.draw(st.integers(0, len(other))) :])


def test_a_mail_of_mails_of_mails() -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth) for depth in range(3000)
    )
    _sensible(nested)
    _sensible(b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 50_000)
    _sensible(b'Subject: Undeliverable\n\n{"notificationType":"Bounce","bounce":' + b"[" * 50_000)


def test_what_is_too_long_to_be_a_boundary_is_none() -> None:
    """Searching for it would cost its length in memory, for each mail anew."""
    for length, parts in ((70, 2), (1000, 1)):
        line = b"x" * length
        mail = parse(b"Content-Type: multipart/mixed; boundary=%b\n\n--%b\n\none\n--%b\n\ntwo\n" % (line, line, line))
        assert len(mail.parts) == parts


@pytest.mark.parametrize("said", AWKWARD)
def test_a_quarter_of_a_megabyte_of_the_same(said: str) -> None:
    """Nothing here takes longer than its length: what would be tried again and again has its limit."""
    much = (said * (LARGE // len(said))).encode()
    head = b"Return-Path: <>\nFrom: MAILER-DAEMON@example.org\nSubject: Undelivered Mail\n"
    _sensible(head + b"\n" + much)
    _sensible(head + b"Content-Type: text/html\n\n" + much)
    _sensible(head + b"Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; kari@example.org\n" + much)


def test_a_report_of_thousands_is_read_in_part() -> None:
    fields = "".join(f"Final-Recipient: rfc822; k{number}@example.org\nStatus: 5.1.1\n\n" for number in range(5000))
    readings = read(b"Content-Type: message/delivery-status\n\n" + fields.encode())
    assert 1 < len(readings) < 50


def test_more_than_a_mail_ever_is_is_left_out() -> None:
    assert sum(len(part.text) for part in parse(b"\n" + b"x" * 3_000_000).parts) <= 1_000_000
