"""A signed mail verifies, whatever stands in it, and nobody on the way can add to what it says (RULES G6, E1)."""

import asyncio
import importlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.clock import TurnedClock
from newsletter.mail.dkim.keys import SigningDomain, SigningKey, new_key
from newsletter.mail.dkim.signing import Signer, UnsignableMail, relaxed_body, relaxed_fields, signatures
from newsletter.mail.message import Mailbox, Message, list_headers
from tests.mail.dkim.signature_check import Checked, check
from tests.support.requirements import unavailable

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECONDS = int(NOON.timestamp())
RSA = SigningKey("s1", new_key())
ED25519 = SigningKey("e1", new_key(ed25519=True))
DOMAIN = SigningDomain("example.org", (RSA, ED25519))
LIST = list_headers(
    unsubscribe_url="https://news.example.org/unsubscribe/" + "t" * 90,
    unsubscribe_mailto="mailto:unsubscribe+token@bounces.example.org?subject=unsubscribe",
    list_id="monthly.news.example.org",
    list_name="The Monthly, with a name that is longer than one line of a header may be",
    help_url="https://news.example.org/newsletters/monthly",
    feedback_id="1:monthly:issue:newsletter",
)

awkward = st.sampled_from(
    [
        "æøå",
        "🎉👩‍👩‍👧",
        ".",
        "..\n",
        "\n.",
        "From ",
        "\r\n",
        "\r",
        "\n\n\n",
        " \n",
        "\t\n",
        "  ",
        "\t ",
        "=",
        "x" * 998,
        "å" * 400,
    ]
)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
contents = st.lists(awkward | words, max_size=10).map("".join)
titles = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=120)


def a_mail(
    text: str = "Hello, you.\n", html: str = "<p>Hello.</p>", subject: str = "Hello", name: str = "Kåre"
) -> bytes:
    kari = Mailbox("kari@example.com", name)
    message = Message(Mailbox("news@example.org", "News"), kari, subject, text, html, NOON, "1@example.org", LIST)
    return message.to_bytes()


def signed(mail: bytes, domain: SigningDomain = DOMAIN) -> bytes:
    return signatures(domain, mail, SECONDS) + mail


def checked(mail: bytes) -> list[Checked]:
    return check(mail, dict(DOMAIN.records()))


def held(mail: bytes) -> list[bool]:
    return [each.holds for each in checked(mail)]


@pytest.fixture(scope="module")
def dkimpy() -> Any:
    """Give the verifier that others use; skip where it is not installed."""
    try:
        importlib.import_module("nacl")
        return importlib.import_module("dkim")
    except ImportError:
        unavailable("dkimpy with Ed25519 is not installed")


def dkimpy_held(dkimpy: Any, mail: bytes) -> list[bool]:
    def look_up(name: bytes, timeout: int = 5) -> bytes:
        return dict(DOMAIN.records())[name.decode().rstrip(".")].encode()

    return [dkimpy.DKIM(mail).verify(idx=number, dnsfunc=look_up) for number in range(len(DOMAIN.keys))]


@given(text=contents, html=contents, subject=titles, name=titles)
@settings(deadline=None)
def test_whatever_stands_in_a_mail_both_signatures_hold(text: str, html: str, subject: str, name: str) -> None:
    assert held(signed(a_mail(text, html, subject, name))) == [True, True]


@given(text=contents, html=contents, subject=titles, name=titles)
@settings(deadline=None, max_examples=40)
def test_the_verifier_of_others_agrees(dkimpy: Any, text: str, html: str, subject: str, name: str) -> None:
    assert dkimpy_held(dkimpy, signed(a_mail(text, html, subject, name))) == [True, True]


raw_lines = st.lists(st.sampled_from([b"", b" ", b"\t", b"a", b"a ", b"a  b\t", b" \tb", b".", b"\x0b", b"\xe6"]))


@given(lines=raw_lines)
@settings(deadline=None, max_examples=60)
def test_a_body_of_any_white_space_is_read_alike(dkimpy: Any, lines: list[bytes]) -> None:
    mail = signed(
        b"From: a@example.org\r\nSubject:  a \t b \r\n\tc\r\nX: \r\n\r\n" + b"".join(line + b"\r\n" for line in lines)
    )
    assert held(mail) == [True, True]
    assert dkimpy_held(dkimpy, mail) == [True, True]


def test_what_a_reader_sees_and_a_mail_service_acts_on_is_covered_once_more_than_it_stands_there() -> None:
    mail = a_mail()
    head = mail.partition(b"\r\n\r\n")[0].decode()
    present = [line.partition(":")[0].lower() for line in head.split("\r\n") if line[0] != " "]
    for each in checked(signed(mail)):
        covered = each.tags["h"].split(":")
        assert [name for name in present if covered.count(name) != 2] == []
        assert {"from", "subject", "date", "to", "mime-version", "content-type", "message-id"} <= set(covered)
        assert {"list-unsubscribe", "list-unsubscribe-post", "list-id", "list-post", "list-help"} <= set(covered)
        assert "l" not in each.tags


@pytest.mark.parametrize(
    "added",
    ["From: evil@example.net", "Subject: Buy", "To: all@example.com", "Reply-To: evil@example.net",
     "List-Unsubscribe: <https://evil.example.net/>", "List-Archive: <https://evil.example.net/>",
     "Content-Type: text/html", "Date: Tue, 03 Mar 2026 12:00:00 +0000"],
)  # fmt: skip
def test_nobody_can_add_a_field_on_top_or_at_the_end_of_the_header(added: str) -> None:
    mail = signed(a_mail())
    assert held(mail) == [True, True]
    assert held(added.encode() + b"\r\n" + mail) == [False, False]
    assert held(mail.replace(b"\r\n\r\n", f"\r\n{added}\r\n\r\n".encode(), 1)) == [False, False]


def test_nobody_can_append_to_a_mail_or_change_a_sign_of_it() -> None:
    mail = signed(a_mail())
    assert held(mail + b"Buy!\r\n") == [False, False]
    assert held(mail.replace(b"Hello, you.", b"Hello, yoU.")) == [False, False]
    assert held(mail.replace(b"One-Click", b"One-click")) == [False, False]


def test_a_field_that_stands_twice_is_covered_twice(dkimpy: Any) -> None:
    mail = signed(
        b"From: a@example.org\r\nList-Help: <https://1.example/>\r\nList-Help: <https://2.example/>\r\n\r\n\r\n"
    )
    assert held(mail) == dkimpy_held(dkimpy, mail) == [True, True]
    assert held(mail.replace(b"1.example", b"3.example")) == [False, False]


def test_a_list_field_that_nobody_thought_of_is_covered_too() -> None:
    mail = signed(b"From: a@example.org\r\nList-Novelty: 1\r\n\r\nHello.\r\n")
    assert held(mail) == [True, True]
    assert held(mail.replace(b"List-Novelty: 1", b"List-Novelty: 2")) == [False, False]
    assert held(b"List-Novelty: 2\r\n" + mail) == [False, False]


def test_the_header_is_folded_and_says_who_signed_when_and_how() -> None:
    header = signatures(DOMAIN, a_mail(), SECONDS)
    lines = header.split(b"\r\n")
    assert lines.pop() == b""
    assert max(map(len, lines)) <= 78
    assert [line for line in lines if not line.strip() or line[:1] not in b" D"] == []
    first, second = checked(header + a_mail())
    expected = {"v": "1", "a": "rsa-sha256", "c": "relaxed/relaxed", "d": "example.org", "s": "s1", "t": str(SECONDS)}
    assert {name: first.tags[name] for name in expected} == expected
    assert (second.tags["a"], second.tags["s"]) == ("ed25519-sha256", "e1")


@pytest.mark.parametrize(
    "unsignable",
    [b"", b"\r\n\r\nHello.\r\n", b"From: a@example.org\r\n", b"From: a@example.org\n\nHello.\n",
     b"From: a@example.org\r\n\r\nHello\rthere.\r\n", b"From: a@example.org\r\n\r\nHello.",
     b"To: a@example.org\r\n\r\nHello.\r\n",
     b"From: a@example.org\r\nFrom: b@example.org\r\n\r\nHello.\r\n"],
)  # fmt: skip
def test_what_no_signature_could_hold_for_is_refused(unsignable: bytes) -> None:
    with pytest.raises(UnsignableMail):
        signatures(DOMAIN, unsignable, SECONDS)


def test_white_space_is_read_as_the_standard_s_examples_say() -> None:
    """RFC 6376 §3.4.5 and §3.4.4."""
    assert relaxed_fields(b"A: X\r\nB : Y\t\r\n\tZ  ") == [(b"a", b"a:X\r\n"), (b"b", b"b:Y Z\r\n")]
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    assert relaxed_body(b"") == b""
    assert relaxed_body(b"\r\n \r\n") == b""


async def test_mails_are_signed_in_threads_in_their_order_while_the_loop_goes_on() -> None:
    signer = Signer(DOMAIN, TurnedClock(NOON), threads=2)
    mails = [a_mail(subject=f"Number {number}") for number in range(41)]
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    headers = await signer.sign(mails)
    turning.cancel()
    assert [held(header + mail) for header, mail in zip(headers, mails, strict=True)] == [[True, True]] * len(mails)
    # How often it has its turn is the machine's business; signing in the loop would leave it none.
    assert turns > 1
    assert await signer.sign([]) == []
    signer.close()
